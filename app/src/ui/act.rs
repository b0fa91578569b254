//! Buttons that lead to a page, and disabled ones that say why.

use leptos::prelude::*;

/// A link that looks like a button, or, with a reason against it, a disabled button. `against` is the id
/// of the element that tells the reason, for those who hear the page.
pub(crate) fn act(
    label: &str,
    class: &'static str,
    href: String,
    against: Option<&str>,
) -> AnyView {
    let label = label.to_owned();
    match against {
        None => view! { <a class=class href=href>{label}</a> }.into_any(),
        Some(reason) => view! {
            <button class=class type="button" disabled=true aria-describedby=reason.to_owned()>{label}</button>
        }
        .into_any(),
    }
}
