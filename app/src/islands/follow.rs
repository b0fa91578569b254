//! Follows the log: appends the lines that the event stream brings.

use leptos::prelude::*;

/// Wakes up with the page; `main[data-follows]` names the stream.
#[island]
pub fn Follow() -> impl IntoView {
    Effect::new(|_| super::stream::start_follow());
    view! { <p class="sr" id="link-said" role="status"></p> }
}
