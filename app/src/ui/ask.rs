//! The parts that every question before an operation has: the button with what stands against it, and the reason.

use leptos::prelude::*;

use super::in_text_area;

/// The button of a form, or, when something stands against it, a disabled one; [`against`] tells what.
pub(crate) fn submit(
    label: &'static str,
    class: &'static str,
    against: Option<&String>,
) -> AnyView {
    if against.is_some() {
        view! { <button class=class type="button" disabled=true aria-describedby="against">{label}</button> }
            .into_any()
    } else {
        view! { <button class=class>{label}</button> }.into_any()
    }
}

/// What stands against the button.
pub(crate) fn against(why: Option<String>) -> impl IntoView + use<> {
    why.map(|why| view! { <p class="error" id="against">{why}</p> })
}

/// Why somebody does it, for the audit trail; `before` is what was typed already.
pub(crate) fn reason(before: &str) -> impl IntoView + use<> {
    view! {
        <div class="field">
            <label for="reason">"Why (others see it; may stay empty)"</label>
            <textarea id="reason" name="reason" rows="2" maxlength="200">{in_text_area(before)}</textarea>
        </div>
    }
}
