//! The place where it is said how hard a password is to guess, while it is typed. Empty without the browser's part: then the
//! form says it when it is sent.

use domain::path;
use leptos::prelude::*;

/// Of the field with that id; `link` is the one-time link that the page was opened by.
pub(crate) fn meter(field: &'static str, link: Option<&str>) -> impl IntoView + use<> {
    let link = link.map(str::to_owned);
    view! {
        <div class="strength" data-strength=field data-judge=path::PASSWORD_STRENGTH data-link=link>
            <span class="grades" aria-hidden="true"><i></i><i></i><i></i></span>
            <span role="status"></span>
        </div>
    }
}
