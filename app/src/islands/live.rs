//! Keeps a page live: takes the fragments that changed from the event stream, counts ages, and says in
//! words whether what is shown is fresh.

use leptos::prelude::*;

/// Wakes up with the page; `main[data-events]` names the stream.
#[island]
pub fn Live() -> impl IntoView {
    Effect::new(|_| super::stream::start_live());
    view! { <p class="sr" id="link-said" role="status"></p> }
}
