//! From Docker's frames to lines.

use bollard::container::LogOutput;
use domain::logs::{Level, LogLine, plain};
use domain::scrub::Scrubber;
use domain::time::Timestamp;

use crate::moment::Moment;

/// A longer line is cut here.
const LONGEST: usize = 64 << 10;

/// Puts lines together. Docker cuts long ones into frames, each with its own time, so a secret on a
/// border would show if each were scrubbed alone.
pub(super) struct Lines {
    scrubber: Scrubber,
    /// The unfinished line of standard output (or the terminal) and of standard error.
    open: [Vec<u8>; 2],
}

type Timed = (Option<Moment>, LogLine);

impl Lines {
    pub(super) fn new(scrubber: Scrubber) -> Self {
        Self {
            scrubber,
            open: [Vec::new(), Vec::new()],
        }
    }

    /// The lines that this frame completes.
    pub(super) fn push(&mut self, part: &LogOutput) -> Vec<Timed> {
        let which = usize::from(matches!(part, LogOutput::StdErr { .. }));
        let open = &mut self.open[which];
        let mut done = Vec::new();
        for piece in part.as_ref().split_inclusive(|byte| *byte == b'\n') {
            let piece = if open.is_empty() {
                piece
            } else {
                without_time(piece)
            };
            let room = LONGEST.saturating_sub(open.len());
            if piece.len() <= room {
                open.extend_from_slice(piece);
            } else {
                open.extend_from_slice(&piece[..room]);
            }
            if piece.ends_with(b"\n") {
                done.push(std::mem::take(open));
            }
        }
        done.iter().map(|line| self.line(line)).collect()
    }

    /// What was left unfinished at the end.
    pub(super) fn rest(&mut self) -> Vec<Timed> {
        let open = std::mem::take(&mut self.open);
        open.iter()
            .filter(|line| !line.is_empty())
            .map(|line| self.line(line))
            .collect()
    }

    fn line(&self, bytes: &[u8]) -> Timed {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let (time, text) = match text.split_once(' ') {
            Some((time, text)) if Moment::parse(time).is_some() => (Some(time), text),
            None if Moment::parse(text).is_some() => (Some(text), ""),
            _ => (None, text),
        };
        let text = self.scrubber.scrub(&plain(text));
        let line = LogLine {
            at: time.and_then(Timestamp::parse_rfc3339),
            level: Level::guess(&text),
            text,
        };
        (time.and_then(Moment::parse), line)
    }
}

/// The continuation of a line carries a time of its own.
fn without_time(piece: &[u8]) -> &[u8] {
    let Some(space) = piece.iter().take(40).position(|byte| *byte == b' ') else {
        return piece;
    };
    let time = std::str::from_utf8(&piece[..space])
        .ok()
        .and_then(Moment::parse);
    if time.is_some() {
        &piece[space + 1..]
    } else {
        piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut {
            message: text.to_owned().into(),
        }
    }

    #[test]
    fn a_line_has_time_level_and_no_secret() {
        let mut lines = Lines::new(Scrubber::new(["topsecretvalue".to_owned()]));
        let done = lines.push(&out(
            "2026-11-22T02:14:05.123456789Z \u{1b}[31mERROR\u{1b}[0m key topsecretvalue\r\n",
        ));
        let line = &done[0].1;
        assert_eq!(line.text, "ERROR key [hidden]");
        assert_eq!(
            (line.level, line.at.unwrap().as_millis() % 1_000),
            (Level::Error, 123)
        );
    }

    #[test]
    fn a_secret_on_the_border_of_two_frames_is_hidden() {
        let mut lines = Lines::new(Scrubber::new(["topsecretvalue".to_owned()]));
        assert!(
            lines
                .push(&out("2026-11-22T02:14:05.1Z is topsec"))
                .is_empty()
        );
        let done = lines.push(&out("2026-11-22T02:14:05.2Z retvalue!\n"));
        assert_eq!(done[0].1.text, "is [hidden]!");
    }

    #[test]
    fn an_endless_line_is_cut_and_an_unfinished_one_is_not_lost() {
        let mut lines = Lines::new(Scrubber::default());
        for _ in 0..100 {
            assert!(lines.push(&out(&"x".repeat(10_000))).is_empty());
        }
        assert_eq!(lines.rest()[0].1.text.len(), LONGEST);
        assert!(lines.rest().is_empty());
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        let mut lines = Lines::new(Scrubber::default());
        let part = LogOutput::Console {
            message: vec![0xff, 0xfe, b' ', b'\n', b'\n'].into(),
        };
        assert_eq!(lines.push(&part).len(), 2);
    }
}
