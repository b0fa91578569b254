//! The lines of a log for one page: what it missed, then what comes.

use std::pin::pin;
use std::sync::Arc;

use app::Filter;
use axum::body::Bytes;
use domain::fault::Fault;
use domain::logs::{LogLine, Mark, Missed, Reading, Seam};
use domain::ports::Clock;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::events::{HELLO, TICK};
use super::reader::Reader;

/// How many lines a page that was away is given.
pub(super) const PAST: u32 = 1_000;

/// What a page follows.
pub(super) struct Following {
    pub(super) live: BoxStream<'static, LogLine>,
    /// The last [`PAST`] lines.
    pub(super) past: BoxFuture<'static, Result<Vec<LogLine>, Fault>>,
    /// How far the page has read.
    pub(super) after: Mark,
    pub(super) filter: Filter,
    pub(super) reader: Reader,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: CancellationToken,
}

pub(super) fn lines(following: Following) -> impl Stream<Item = Bytes> + Send {
    let Following {
        mut live,
        mut past,
        after,
        filter,
        reader,
        clock,
        stop,
    } = following;
    async_stream::stream! {
        let mut left = pin!(reader.left());
        let mut ticks = tokio::time::interval(TICK);
        let mut reading = Reading::after(after);
        let mut caught_up = false;
        yield HELLO;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                last = &mut left => {
                    if let Some(last) = last {
                        yield last;
                    }
                    return;
                }
                _ = ticks.tick() => {
                    let data = app::live::log_tick(reading.mark(), clock.now());
                    yield Bytes::from(format!("event: tick\ndata: {data}\n\n"));
                }
                found = &mut past, if !caught_up => {
                    caught_up = true;
                    match found {
                        Ok(found) => {
                            let missed = reading.past(found, PAST as usize);
                            if let Some(event) = event(&missed, &filter, &reading, &*clock) {
                                yield event;
                            }
                        }
                        Err(fault) => tracing::debug!("A page could not catch up with the log: {fault}"),
                    }
                }
                line = live.next(), if caught_up => match line {
                    Some(line) => {
                        if let Some(mut line) = reading.came(line) {
                            // What has no time of its own is said now.
                            line.at.get_or_insert_with(|| clock.now());
                            let missed = Missed { seam: Seam::Closed, lines: vec![line] };
                            if let Some(event) = event(&missed, &filter, &reading, &*clock) {
                                yield event;
                            }
                        }
                    }
                    None => return,
                },
            }
        }
    }
}

fn event(missed: &Missed, filter: &Filter, reading: &Reading, clock: &dyn Clock) -> Option<Bytes> {
    let data = app::live::log_lines(missed, filter, reading.mark(), clock.now())?;
    Some(Bytes::from(format!("event: lines\ndata: {data}\n\n")))
}

#[cfg(test)]
mod tests {
    use domain::logs::Level;
    use domain::time::Timestamp;
    use futures::stream;

    use super::*;
    use crate::http::testing::{House, house, reader};

    fn line(millis: i64, text: &str) -> LogLine {
        LogLine {
            at: Some(Timestamp::from_millis(millis)),
            level: Level::Info,
            text: text.to_owned(),
        }
    }

    /// Everything a page is told until the log ends.
    async fn told(house: &House, past: Result<Vec<LogLine>, Fault>, live: Vec<LogLine>) -> String {
        let (_, reader) = reader(house).await;
        let said = lines(Following {
            live: stream::iter(live).boxed(),
            past: Box::pin(std::future::ready(past)),
            after: Mark::after(&[line(5, "shown")]),
            filter: Filter::new("", "", domain::person::Role::Viewer),
            reader,
            clock: house.clock.clone(),
            stop: CancellationToken::new(),
        });
        let said: Vec<Bytes> = said.collect().await;
        String::from_utf8(said.concat()).unwrap()
    }

    #[tokio::test]
    async fn what_was_written_while_nobody_listened_comes_first_and_once() {
        let past = Ok(vec![line(5, "shown"), line(6, "missed")]);
        let live = vec![line(6, "missed"), line(7, "fresh")];
        let told = told(&house(), past, live).await;
        assert!(!told.contains("shown"), "{told}");
        assert_eq!(told.matches("missed").count(), 1, "{told}");
        assert!(told.find("missed") < told.find("fresh"), "{told}");
        assert!(told.contains(r#""read":"7.1""#), "{told}");
        assert!(!told.contains("gap"), "{told}");
    }

    #[tokio::test]
    async fn more_than_can_be_caught_up_with_leaves_a_gap_that_is_said() {
        let many = (0..i64::from(PAST)).map(|n| line(10 + n, "many")).collect();
        let told = told(&house(), Ok(many), Vec::new()).await;
        assert!(told.contains("Lines may be missing here"), "{told}");
    }
}
