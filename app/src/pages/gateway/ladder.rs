//! The actions, gentlest first, each with what it costs and why it cannot be pressed.

use leptos::prelude::*;

use crate::rungs::{Rung, Sight, rungs};
use crate::ui::act::act;

pub(super) fn list(sight: Sight<'_>) -> String {
    let rungs: Vec<_> = rungs(sight).into_iter().enumerate().map(item).collect();
    view! { <ol class="card ladder" role="list" id="ladder">{rungs}</ol> }.to_html()
}

fn item((index, rung): (usize, Rung)) -> impl IntoView {
    let id = format!("rung-{index}");
    let against = rung.against.as_ref().map(|_| id.as_str());
    let button = act(rung.button, "btn quiet", rung.href, against);
    let reason = rung
        .against
        .map(|why| view! { <small class="reason" id=id>{why}</small> });
    view! {
        <li>
            <div><b>{rung.title}</b><small>{rung.costs}</small>{reason}</div>
            {button}
        </li>
    }
}
