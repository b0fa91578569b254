//! The table: one row a rotation. Pure.

use domain::ports::LogLine;
use domain::scrub::Scrubber;
use domain::time::Timestamp;

const COLUMNS: [&str; 6] = [
    "Date (UTC)",
    "Credential",
    "Who",
    "Why",
    "Operation",
    "Next due",
];
/// Where the operation stands in a row.
const OPERATION: usize = 4;
/// Of a cell: the log tells the story, it does not hold it.
const LONGEST: usize = 300;

/// A row for the table, without a line's end.
pub(crate) fn row(line: &LogLine) -> String {
    let date = line.at.utc_text();
    let due = line.next_due.map(Timestamp::utc_text);
    let day = |text: &str| text.get(..10).unwrap_or_default().to_owned();
    let scrubber = Scrubber::default();
    let said = |text: &str| cell(&scrubber.scrub(text));
    let cells = [
        date.trim_end_matches(" UTC").to_owned(),
        said(&line.credential),
        said(&line.who),
        said(&line.why),
        line.operation.to_string(),
        due.map_or_else(|| "–".to_owned(), |due| day(&due)),
    ];
    format!("| {} |", cells.join(" | "))
}

/// The text with the row at the end of the table, which is begun where there is none. Lines end as they do in the text,
/// and a text without an end of its last line stays one, unless a table is begun.
pub(crate) fn insert(text: &str, row: &str) -> String {
    let end = if first_line_end(text) == Some("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    if let Some(at) = end_of_table(text) {
        let (before, after) = text.split_at(at);
        return if before.ends_with('\n') {
            format!("{before}{row}{end}{after}")
        } else {
            format!("{before}{end}{row}{after}")
        };
    }
    let head = format!("| {} |", COLUMNS.join(" | "));
    let rule = format!("|{}", "---|".repeat(COLUMNS.len()));
    let table = format!("{head}{end}{rule}{end}{row}{end}");
    let bare = text.trim_start_matches('\u{feff}');
    if bare.trim().is_empty() {
        return format!("{text}# Secrets rotation log{end}{end}{table}");
    }
    let gap = match text {
        text if !text.ends_with('\n') => end.repeat(2),
        text if text
            .lines()
            .last()
            .is_some_and(|last| last.trim().is_empty()) =>
        {
            String::new()
        }
        _ => end.to_owned(),
    };
    format!("{text}{gap}{table}")
}

/// Whether a row of the operation is there.
pub(crate) fn holds(text: &str, operation: &str) -> bool {
    row_of(text, operation).is_some()
}

/// The operation's row, as it stands there.
pub(crate) fn row_of<'a>(text: &'a str, operation: &str) -> Option<&'a str> {
    text.lines().find(|line| {
        let cells = cells(line);
        cells.get(OPERATION).is_some_and(|cell| *cell == operation)
    })
}

/// What a person said, as text and nothing else: no end of the cell or of the row, no markup, nothing invisible.
fn cell(text: &str) -> String {
    let words: String = text
        .chars()
        .map(|c| if is_gap(c) { ' ' } else { c })
        .collect();
    let mut plain = words
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if let Some((at, _)) = plain.char_indices().nth(LONGEST) {
        plain.truncate(at);
        plain.push('…');
    }
    if plain.is_empty() {
        return "–".to_owned();
    }
    let all: Vec<char> = plain.chars().collect();
    let mut out = String::with_capacity(plain.len());
    for (at, &c) in all.iter().enumerate() {
        let beside = |at: Option<usize>| {
            at.and_then(|at| all.get(at))
                .is_some_and(|c| c.is_alphanumeric())
        };
        match c {
            // Not as `\\`: some readers would take a `\|` after it apart.
            '\\' => out.push_str("&#92;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '_' if beside(at.checked_sub(1)) && beside(Some(at + 1)) => out.push(c),
            '|' | '`' | '*' | '_' | '[' | ']' | '~' | '^' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// White space, control characters, and what turns the direction of what follows.
fn is_gap(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn first_line_end(text: &str) -> Option<&'static str> {
    let at = text.find('\n')?;
    let carriage = text.get(..at).is_some_and(|before| before.ends_with('\r'));
    Some(if carriage { "\r\n" } else { "\n" })
}

/// Where the last table of ours ends: after the end of its last line.
fn end_of_table(text: &str) -> Option<usize> {
    let mut found = None;
    let mut at = 0;
    let mut fenced = false;
    let mut head_before = false;
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let bare = line.trim();
        if bare.starts_with("```") || bare.starts_with("~~~") {
            fenced = !fenced;
        }
        if fenced || bare.is_empty() {
            (head_before, inside) = (false, false);
            continue;
        }
        inside = (inside && bare.contains('|')) || (head_before && is_rule(bare));
        if inside {
            found = Some(at);
        }
        head_before = is_head(bare);
    }
    found
}

fn is_head(line: &str) -> bool {
    let cells = cells(line);
    cells.len() == COLUMNS.len()
        && cells
            .iter()
            .zip(COLUMNS)
            .all(|(cell, column)| cell.eq_ignore_ascii_case(column))
}

fn is_rule(line: &str) -> bool {
    let cells = cells(line);
    cells.len() == COLUMNS.len()
        && cells
            .iter()
            .all(|cell| cell.contains('-') && cell.chars().all(|c| matches!(c, '-' | ':')))
}

/// A row's cells as they are written.
fn cells(line: &str) -> Vec<&str> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut cells = Vec::new();
    let mut begin = 0;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if c == '|' && !escaped {
            cells.push(line.get(begin..at).unwrap_or_default().trim());
            begin = at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    let rest = line.get(begin..).unwrap_or_default().trim();
    if !rest.is_empty() {
        cells.push(rest);
    }
    cells
}

#[cfg(test)]
mod tests;
