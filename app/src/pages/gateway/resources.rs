//! What the container uses: memory against its limit, CPU, ports, image, volumes.

use domain::fact::{Container, ContainerState, Process};
use domain::words;
use leptos::prelude::*;

use crate::rungs::Sight;

pub(super) fn card(sight: Sight<'_>) -> String {
    let container = sight.seen.and_then(|seen| seen.container.detail.as_ref());
    let Some(container) = container.filter(|found| found.state != ContainerState::Missing) else {
        return view! {
            <div class="card empty" id="resources">
                <h3>"No container to measure"</h3>
                <p>"Memory, CPU and ports are shown as soon as there is one."</p>
            </div>
        }
        .to_html();
    };
    let process = sight.seen.and_then(|seen| seen.process.detail.as_ref());
    view! {
        <div class="card" id="resources">
            <div class="meters">{memory(container)}{cpu(container)}{delay(process)}</div>
            {pairs(container, process)}
        </div>
    }
    .to_html()
}

fn memory(container: &Container) -> impl IntoView + use<> {
    let Some(used) = container.memory_bytes else {
        return meter(
            "Memory",
            "–".to_owned(),
            None,
            "not measured yet".to_owned(),
        );
    };
    let (share, said) = match container.memory_limit_bytes.filter(|limit| *limit > 0) {
        Some(limit) => {
            let share = (used.saturating_mul(100) / limit).min(100);
            (Some(share), format!("of {}", words::bytes(limit)))
        }
        None => (None, "no limit is set".to_owned()),
    };
    meter("Memory", words::bytes(used), share, said)
}

fn cpu(container: &Container) -> impl IntoView + use<> {
    match container.cpu_percent {
        // More than one core is drawn as a full bar; the number says it.
        Some(percent) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to 0..=100 first"
            )]
            let share = percent.clamp(0.0, 100.0).round() as u64;
            meter(
                "CPU",
                format!("{percent:.1} %"),
                Some(share),
                "of one core".to_owned(),
            )
        }
        None => meter("CPU", "–".to_owned(), None, "not measured yet".to_owned()),
    }
}

fn delay(process: Option<&Process>) -> impl IntoView + use<> {
    match process.and_then(|process| process.event_loop_ms) {
        Some(millis) => meter(
            "Event loop",
            format!("{millis:.0} ms"),
            None,
            "late on average".to_owned(),
        ),
        None => match process.filter(|process| process.live) {
            Some(process) => meter(
                "Answers in",
                format!("{} ms", process.latency_ms),
                None,
                "on /healthz".to_owned(),
            ),
            None => meter("Answers in", "–".to_owned(), None, "no answer".to_owned()),
        },
    }
}

fn meter(name: &'static str, value: String, share: Option<u64>, said: String) -> AnyView {
    let bar = share.map(|share| {
        let class = if share > 92 { "bar is-warn" } else { "bar" };
        let label = format!("{name}: {share} % {said}");
        view! { <progress class=class max="100" value=share aria-label=label></progress> }
    });
    view! {
        <div class="meter">
            <span class="name">{name}</span><b>{value}</b>{bar}<small>{said}</small>
        </div>
    }
    .into_any()
}

fn pairs(container: &Container, process: Option<&Process>) -> impl IntoView + use<> {
    let ports: Vec<_> = container
        .ports
        .iter()
        .map(|port| {
            let (class, said) = match &port.bound {
                Some(bound) => ("is-ok", format!("{} on {bound}", port.container_port)),
                None => ("is-down", format!("{} not bound", port.container_port)),
            };
            view! { <span class=class>{said}</span>" " }
        })
        .collect();
    let ports = if ports.is_empty() {
        "none".into_any()
    } else {
        ports.into_any()
    };
    let volumes = if container.volumes.is_empty() {
        "none".to_owned()
    } else {
        container.volumes.join(", ")
    };
    let digest: String = container.image_id.chars().take(19).collect();
    let version = process.and_then(|process| process.version.clone());
    let version = version.map(|version| view! { <dt>"Version"</dt><dd>{version}</dd> });
    view! {
        <dl class="pairs note">
            <dt>"Ports"</dt><dd>{ports}</dd>
            <dt>"Image"</dt>
            <dd><code>{container.image.clone()}</code>" "<code title=container.image_id.clone()>{digest}</code></dd>
            {version}
            <dt>"Volumes"</dt><dd>{volumes}</dd>
        </dl>
    }
}
