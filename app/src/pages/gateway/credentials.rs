//! Credentials of the gateway that should have been changed.

use domain::credential::Listed;
use domain::path;
use leptos::prelude::*;

use crate::live::Fragment;
use crate::register;
use crate::rungs::Sight;

/// A line for each that is overdue; nothing for whom the register is not shown.
pub(super) fn warning(sight: Sight<'_>, register: &[Listed]) -> Fragment {
    let overdue = register::may_see(sight.role)
        .then(|| register::overdue(register, sight.gateway))
        .into_iter()
        .flatten();
    let lines: Vec<_> = overdue
        .map(|listed| {
            let credential = &listed.credential;
            let said = format!("{}: {}.", credential.title, listed.due.words(sight.now));
            view! {
                <div class="banner is-warn">
                    <p>{said}</p>
                    <a href=path::credential(credential.id)>"See it"</a>
                </div>
            }
        })
        .collect();
    Fragment::new(
        "credentials",
        view! { <div id="credentials">{lines}</div> }.to_html(),
    )
}
