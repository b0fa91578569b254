//! Buttons that lead to a page, and disabled ones that say why.

use leptos::prelude::*;

/// A link that looks like a button, or, with a reason against it, a disabled button that says why.
/// `id` names the reason for those who hear the page.
pub(crate) fn act(
    label: &str,
    class: &'static str,
    href: String,
    against: Option<(String, &str)>,
) -> AnyView {
    let label = label.to_owned();
    match against {
        None => view! { <a class=class href=href>{label}</a> }.into_any(),
        Some((id, _)) => view! {
            <button class=class type="button" disabled=true aria-describedby=id>{label}</button>
        }
        .into_any(),
    }
}
