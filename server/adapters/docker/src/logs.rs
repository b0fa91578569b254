//! The container's output, scrubbed, line by line.

mod line;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bollard::query_parameters::LogsOptions;
use domain::fault::{Fault, FaultKind};
use domain::logs::{Level, LogLine};
use domain::scrub::Scrubber;
use domain::words;
use futures::channel::mpsc::Sender;
use futures::{SinkExt, Stream, StreamExt};
use tokio::time::Instant;

use crate::client::Host;
use crate::fault::{Failed, docker};
use crate::moment::Moment;
use crate::project;
use crate::stream::sending;
use line::Lines;

const MOST_LINES: u32 = 10_000;
const LIMIT: Duration = Duration::from_secs(20);
/// After this much silence it is checked that the container is still the gateway's.
const SILENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);

/// The last lines, oldest first.
pub(crate) async fn last(host: &Host, id: &str, lines: u32) -> Result<Vec<LogLine>, Fault> {
    let gone = || {
        docker(
            FaultKind::NotFound,
            "The container is not there any more, and its log with it.",
        )
    };
    let found = host.inspect(id).await?.ok_or_else(gone)?;
    let scrubber = scrubber(host, found.config.and_then(|config| config.env)).await;
    let options = options(lines.min(MOST_LINES).to_string(), 0);
    let mut output = host.docker().await?.logs(id, Some(options));
    let mut assembled = Lines::new(scrubber);
    let mut all = Vec::new();
    let reading = async {
        while let Some(part) = output.next().await {
            all.extend(
                assembled.push(&part.map_err(|error| host.failed(error, "reading the log"))?),
            );
        }
        Ok::<(), Failed>(())
    };
    match tokio::time::timeout(LIMIT, reading).await {
        Ok(read) => read?,
        Err(_) => return Err(Failed::timed_out(LIMIT, "reading the log").into()),
    }
    all.extend(assembled.rest());
    Ok(all.into_iter().map(|(_, line)| line).collect())
}

/// The last `tail` lines and all that follow, through every replacement.
pub(crate) fn follow(
    host: Result<Arc<Host>, Fault>,
    tail: u32,
) -> impl Stream<Item = LogLine> + Send {
    sending(move |mut to| async move {
        let mut sight = Sight::Clear;
        let host = match host {
            Ok(host) => host,
            Err(fault) => {
                if let Some(said) = sight.lose(&fault) {
                    // Nobody reads any more: the stream ends with its reader.
                    drop(to.send(said).await);
                }
                return std::future::pending().await;
            }
        };
        let mut reached = Reached::Nothing {
            tail: tail.min(MOST_LINES),
        };
        loop {
            match attach(&host, &mut reached, &mut sight, &mut to).await {
                Ok(Reader::Gone) => return,
                Ok(Reader::There) => {}
                Err(fault) => {
                    tracing::debug!(gateway.id = %host.settings.id, "Log stream broke: {fault}");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
}

/// Whether Docker shows the log. Each change is one line of it, so that quiet and blind differ.
#[derive(Clone, Copy)]
enum Sight {
    Clear,
    Blind { since: Instant },
}

impl Sight {
    fn lose(&mut self, fault: &Fault) -> Option<LogLine> {
        if let Self::Blind { .. } = self {
            return None;
        }
        *self = Self::Blind {
            since: Instant::now(),
        };
        let why = &fault.message;
        Some(own(format!(
            "[panel] From here on the log cannot be read: {why}"
        )))
    }

    fn regain(&mut self) -> Option<LogLine> {
        let Self::Blind { since } = *self else {
            return None;
        };
        *self = Self::Clear;
        let lasted = words::duration(since.elapsed());
        Some(own(format!(
            "[panel] Docker answers again after {lasted}; the log goes on."
        )))
    }
}

/// A line of the panel's own.
fn own(text: String) -> LogLine {
    LogLine {
        at: None,
        level: Level::Warn,
        text,
    }
}

/// How far the reader has got.
enum Reached {
    Nothing { tail: u32 },
    Moment(Moment),
}

enum Reader {
    There,
    Gone,
}

/// Reads from one container until its output ends or another takes its place.
async fn attach(
    host: &Host,
    reached: &mut Reached,
    sight: &mut Sight,
    to: &mut Sender<LogLine>,
) -> Result<Reader, Fault> {
    // A stream that breaks while its container is replaced is no blindness: the next look tells.
    let found = host.inspect_current().await;
    let said = match &found {
        Ok(_) => sight.regain(),
        Err(fault) => sight.lose(fault),
    };
    if let Some(said) = said
        && to.send(said).await.is_err()
    {
        return Ok(Reader::Gone);
    }
    let Some(found) = found? else {
        return Ok(Reader::There);
    };
    let id = found.id.unwrap_or_default();
    let scrubber = scrubber(host, found.config.and_then(|config| config.env)).await;
    let mut options = match reached {
        Reached::Nothing { tail } => options(tail.to_string(), 0),
        // Docker counts whole seconds here; what was read before is left out below.
        Reached::Moment(moment) => options("all".to_owned(), moment.seconds()),
    };
    options.follow = true;
    let mut output = host.docker().await?.logs(&id, Some(options));
    let mut assembled = Lines::new(scrubber);
    loop {
        let Ok(part) = tokio::time::timeout(SILENCE, output.next()).await else {
            let now = host.inspect_current().await?.and_then(|found| found.id);
            if now.as_ref() == Some(&id) {
                continue;
            }
            return Ok(Reader::There);
        };
        let (lines, more) = match part {
            Some(Ok(part)) => (assembled.push(&part), true),
            Some(Err(error)) => return Err(host.failed(error, "following the log").into()),
            None => (assembled.rest(), false),
        };
        for (moment, line) in lines {
            if let (Some(moment), Reached::Moment(last)) = (&moment, &*reached)
                && moment <= last
            {
                continue;
            }
            if let Some(moment) = moment {
                *reached = Reached::Moment(moment);
            }
            if to.send(line).await.is_err() {
                return Ok(Reader::Gone);
            }
        }
        if !more {
            return Ok(Reader::There);
        }
    }
}

fn options(tail: String, since: i32) -> LogsOptions {
    LogsOptions {
        stdout: true,
        stderr: true,
        timestamps: true,
        tail,
        since,
        ..LogsOptions::default()
    }
}

/// Knows the secrets of the compose folder, and those that the container was made with: they differ
/// after a change of `.env`.
async fn scrubber(host: &Host, env: Option<Vec<String>>) -> Scrubber {
    let mut secrets: BTreeSet<String> = match project::read(&host.settings).await {
        Ok(read) => read.secrets(),
        Err(_) => BTreeSet::new(),
    };
    let pairs = env.iter().flatten().filter_map(|pair| pair.split_once('='));
    secrets.extend(
        pairs
            .filter(|(name, _)| project::names_a_secret(name))
            .map(|(_, value)| value.to_owned()),
    );
    Scrubber::new(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn blindness_is_one_line_and_its_end_another() {
        let fault = docker(FaultKind::Unreachable, "Docker does not answer.");
        let mut sight = Sight::Clear;
        assert!(sight.regain().is_none());
        let lost = sight.lose(&fault).unwrap();
        assert!(
            lost.text.contains("Docker does not answer."),
            "{}",
            lost.text
        );
        assert!(sight.lose(&fault).is_none());
        tokio::time::advance(Duration::from_secs(40)).await;
        let back = sight.regain().unwrap();
        assert!(back.text.contains("after 40 s"), "{}", back.text);
        assert!(sight.regain().is_none());
    }
}
