//! What the container uses: memory against its limit, CPU, ports, image, volumes.

use domain::fact::{Container, ContainerState, Health, Process};
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
            "late at worst (99th percentile)".to_owned(),
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
    let health = match container.health {
        Some(Health::Healthy) => "passes",
        Some(Health::Starting) => "not decided yet",
        Some(Health::Unhealthy) => "fails",
        None => "none is set",
    };
    let restarts = format!(
        "{} by Docker since it was made, {} in the last hour",
        container.restart_count,
        words::count(
            container.restarts_last_hour.into(),
            "unplanned end",
            "unplanned ends"
        )
    );
    let default = container.hostname_is_default.then_some(
        " (Docker's own choice: it changes at every recreate, and a gateway that was killed then waits five minutes)",
    );
    let version = process.and_then(|process| match (&process.version, process.protocol) {
        (Some(version), Some(protocol)) => Some(format!("{version}, protocol {protocol}")),
        (version, _) => version.clone(),
    });
    let version = version.map(|version| view! { <dt>"Version"</dt><dd>{version}</dd> });
    view! {
        <dl class="pairs note">
            <dt>"Ports"</dt><dd>{ports}</dd>
            <dt>"Image"</dt>
            <dd><code>{container.image.clone()}</code>{image(container)}</dd>
            {version}
            <dt>"Restarts"</dt><dd>{restarts}</dd>
            <dt>"Health check"</dt><dd>{health}</dd>
            <dt>"Host name"</dt><dd><code>{container.hostname.clone()}</code>{default}</dd>
            <dt>"Volumes"</dt><dd>{volumes}</dd>
        </dl>
    }
}

/// The digest in the registry, where others find the same image, else the image's id on this machine.
fn image(container: &Container) -> impl IntoView + use<> {
    let digest = container.image_digest.as_deref();
    let digest = digest.and_then(|digest| Some((digest, digest.split_once('@')?.1)));
    let (name, whole, short) = match digest {
        Some((whole, short)) => (" digest ", whole, short),
        None => (" image id ", &*container.image_id, &*container.image_id),
    };
    let short: String = short.chars().take(19).collect();
    view! { {name}<code title=whole.to_owned()>{short}</code> }
}
