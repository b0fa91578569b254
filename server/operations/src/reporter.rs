//! Lines that a step says to people while it runs: scrubbed, and few enough to be read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::fault::Fault;
use domain::scrub::Scrubber;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// Between two lines of [`Reporter::progress`].
const PAUSE: Duration = Duration::from_secs(5);
/// Lines kept of one run of a step.
const MOST_LINES: usize = 250;
/// Characters kept of one line.
const LONGEST: usize = 400;

/// Says lines; the runner writes them into the journal.
#[derive(Clone)]
pub struct Reporter {
    lines: UnboundedSender<String>,
    scrubber: Arc<Scrubber>,
    last: Arc<Mutex<Last>>,
}

#[derive(Default)]
struct Last {
    line: String,
    progress_at: Option<Instant>,
    count: usize,
}

impl Reporter {
    /// A reporter and the lines that come out of it.
    pub fn new(scrubber: Arc<Scrubber>) -> (Self, UnboundedReceiver<String>) {
        let (lines, said) = unbounded_channel();
        let last = Arc::default();
        let reporter = Self {
            lines,
            scrubber,
            last,
        };
        (reporter, said)
    }

    /// Says something that is worth a line of its own.
    pub fn line(&self, text: impl AsRef<str>) {
        self.send(text.as_ref());
    }

    /// Says how far a wait is: at most one line in five seconds, the others are dropped.
    pub fn progress(&self, text: impl AsRef<str>) {
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if last
                .progress_at
                .is_some_and(|at| now.duration_since(at) < PAUSE)
            {
                return;
            }
            last.progress_at = Some(now);
        }
        self.send(text.as_ref());
    }

    /// The text without secrets, for what is kept elsewhere than in a line.
    pub fn scrub(&self, text: &str) -> String {
        self.scrubber.scrub(text)
    }

    /// The fault without secrets.
    pub fn scrub_fault(&self, mut fault: Fault) -> Fault {
        fault.message = self.scrub(&fault.message);
        fault
    }

    fn send(&self, text: &str) {
        let text = self.scrub(text);
        let flat: String = text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(LONGEST)
            .collect();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if flat.is_empty() || flat == last.line || last.count >= MOST_LINES {
            return;
        }
        last.count += 1;
        last.line.clone_from(&flat);
        // Nobody listens any more only when the step was given up.
        drop(self.lines.send(flat));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reporter() -> (Reporter, UnboundedReceiver<String>) {
        Reporter::new(Arc::new(Scrubber::new(["s3cr3t-value".to_owned()])))
    }

    fn said(lines: &mut UnboundedReceiver<String>) -> Vec<String> {
        std::iter::from_fn(|| lines.try_recv().ok()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_rate_limited_and_lines_are_not() {
        let (say, mut lines) = reporter();
        for second in 0..12 {
            say.progress(format!("waiting since {second} s"));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        say.line("live");
        say.line("live");
        say.line("ready");
        assert_eq!(
            said(&mut lines),
            [
                "waiting since 0 s",
                "waiting since 5 s",
                "waiting since 10 s",
                "live",
                "ready"
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_is_flat_short_and_without_secrets() {
        let (say, mut lines) = reporter();
        say.line(format!("key s3cr3t-value\n{}", "x".repeat(900)));
        let said = said(&mut lines);
        assert!(said[0].starts_with("key [hidden] xxx"), "{said:?}");
        assert_eq!(said[0].chars().count(), LONGEST);
    }
}
