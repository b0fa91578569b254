//! The gateway's log: the last lines, searched and filtered by the server, followed by an event stream.

use domain::action::Action;
use domain::logs::{Level, LogLine, Mark};
use domain::path;
use domain::person::Role;
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;

use super::{Asked, Page, encoded};
use crate::call::Call;
use crate::error::PanelError;
use crate::ui::{escape, said};

/// How many lines can be asked for.
const CHOICES: [u32; 3] = [30, 200, 1_000];

/// How lines of the panel's own begin.
const OWN: &str = "[panel] ";
/// Stands where lines may be missing.
pub(crate) const GAP: &str = r#"<li class="gap">Lines may be missing here: more were written than could be caught up with. The download has more of them.</li>"#;

/// Which lines are shown, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    search: String,
    level: Option<Level>,
    role: Role,
}

impl Filter {
    /// From the words in a URL: `search` is any text, `level` is `warn` or `error`; for somebody of `role`.
    pub fn new(search: &str, level: &str, role: Role) -> Self {
        let level = match level {
            "error" => Some(Level::Error),
            "warn" => Some(Level::Warn),
            _ => None,
        };
        Self {
            search: search.trim().chars().take(200).collect(),
            level,
            role,
        }
    }

    /// A line as it is shown, if it is. Masked before it is searched: a search must not find out what
    /// the page does not show.
    pub fn shown(&self, line: &LogLine) -> Option<LogLine> {
        let line = LogLine {
            text: said::phones(&line.text, self.role),
            ..line.clone()
        };
        self.matches(&line).then_some(line)
    }

    fn matches(&self, line: &LogLine) -> bool {
        // What the panel says of the log itself belongs to every view of it.
        if line.text.starts_with(OWN) {
            return true;
        }
        let loud = match self.level {
            Some(Level::Error) => line.level == Level::Error,
            Some(_) => matches!(line.level, Level::Error | Level::Warn),
            None => true,
        };
        loud && (self.search.is_empty() || find(&line.text, &self.search).is_some())
    }

    fn query(&self) -> String {
        let level = self.level.map_or("", Level::as_str);
        format!("search={}&level={level}", encoded(&self.search))
    }
}

pub(crate) async fn page(call: &Call, id: &str, asked: &Asked) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    call.permit(Action::ViewLogs, Some(&gateway.id)).await?;
    let wanted = asked.get("lines").parse().unwrap_or(200);
    let lines = CHOICES.into_iter().find(|choice| *choice == wanted);
    let lines = lines.unwrap_or(200);
    let filter = Filter::new(
        asked.get("search"),
        asked.get("level"),
        call.role_on(&gateway.id),
    );
    let now = call.now();
    let (body, live) = match call.panel().observations.logs(&gateway.id, lines).await {
        Ok(found) => (shown(&found, &filter, now), following(&found, &filter)),
        Err(fault) => (unreachable(&fault.message), String::new()),
    };
    let download = format!("{}?{}", path::log_download(&gateway.id), filter.query());
    let content = format!(
        "{}{}{body}",
        view! {
            <div class="crumb">
                <h1>"Log of "{gateway.name.clone()}</h1>
                <p class="live"><span id="link"></span>" "{live}<noscript>" · times in UTC"</noscript></p>
            </div>
        }
        .to_html(),
        filters(lines, &filter, download).to_html(),
    );
    let events = format!("{}?{}", path::log_events(&gateway.id), filter.query());
    Ok(Page::new("Log", content)
        .at("logs")
        .of(gateway.id)
        .follow(events))
}

fn following(found: &[LogLine], filter: &Filter) -> String {
    let shown = found
        .iter()
        .filter(|line| filter.shown(line).is_some())
        .count();
    if shown == found.len() {
        format!("the last {}", words::count(shown as u64, "line", "lines"))
    } else {
        format!("{shown} of the last {} lines", found.len())
    }
}

fn filters(lines: u32, filter: &Filter, download: String) -> impl IntoView + use<> {
    let counts: Vec<_> = CHOICES
        .into_iter()
        .map(|choice| {
            view! { <option value=choice selected=choice == lines>{choice}" lines"</option> }
        })
        .collect();
    let level = filter.level.map_or("", Level::as_str);
    let levels: Vec<_> = [
        ("", "All levels"),
        ("warn", "Warnings and errors"),
        ("error", "Errors"),
    ]
    .into_iter()
    .map(|(value, said)| view! { <option value=value selected=value == level>{said}</option> })
    .collect();
    let said = if filter.search.is_empty() && filter.level.is_none() {
        "Download the last 5,000 lines"
    } else {
        "Download what fits of the last 5,000 lines"
    };
    view! {
        <form class="filters" method="get">
            <label class="sr" for="lines-wanted">"How many lines"</label>
            <select id="lines-wanted" name="lines">{counts}</select>
            <label class="sr" for="search">"Search"</label>
            <input type="search" id="search" name="search" placeholder="Search" value=filter.search.clone()/>
            <label class="sr" for="level">"Level"</label>
            <select id="level" name="level">{levels}</select>
            <button class="btn">"Show"</button>
            <span class="end actions">
                <button class="btn" type="button" id="follow" aria-pressed="true" hidden=true>"Follow"</button>
                // Without the attribute: a download that fails is a page, not a file.
                <a class="btn" href=download>{said}</a>
            </span>
        </form>
    }
}

fn shown(found: &[LogLine], filter: &Filter, now: Timestamp) -> String {
    let items = items(found, filter, now);
    let empty = if items.is_empty() {
        let (title, said) = if found.is_empty() {
            ("Nothing yet", "The gateway has written nothing to its log.")
        } else {
            (
                "No line fits",
                "Search for something shorter, choose all levels, or more lines.",
            )
        };
        view! { <div class="card empty" id="no-lines"><h2>{title}</h2><p>{said}</p></div> }
            .to_html()
    } else {
        String::new()
    };
    format!("{empty}{}", list(&items, Mark::after(found)))
}

/// The lines; the island goes on after `read`.
fn list(items: &str, read: Mark) -> String {
    format!(
        r#"<ol class="card lines" id="lines" role="list" tabindex="0" aria-label="Lines of the gateway's log, newest last" data-read="{read}">{items}</ol>"#
    )
}

fn unreachable(why: &str) -> String {
    let said = view! {
        <div class="card empty" id="no-lines" role="alert">
            <h2>"The log could not be read"</h2>
            <p>{why.to_owned()}" Load the page again in a moment."</p>
        </div>
    }
    .to_html();
    // Lines appear here by themselves once Docker answers.
    format!("{said}{}", list("", Mark::START))
}

/// Lines as list items, those that the filter lets through.
pub(crate) fn items(lines: &[LogLine], filter: &Filter, now: Timestamp) -> String {
    lines
        .iter()
        .filter_map(|line| filter.shown(line))
        .map(|line| item(&line, &filter.search, now))
        .collect()
}

fn item(line: &LogLine, search: &str, now: Timestamp) -> String {
    let level = line.level.as_str();
    let class = match line.level {
        Level::Error => r#" class="error-line""#,
        Level::Warn => r#" class="warn-line""#,
        Level::Debug => r#" class="debug-line""#,
        Level::Info => "",
    };
    let time = line.at.map_or_else(
        || "<time>–</time>".to_owned(),
        |at| {
            let machine = at.rfc3339();
            let today = machine.get(..10) == now.rfc3339().get(..10);
            let from = if today { 11 } else { 5 };
            let text = machine.get(from..19).unwrap_or_default().replace('T', " ");
            format!(
                r#"<time datetime="{machine}" title="{}" data-local="seconds">{text}</time>"#,
                at.utc_text()
            )
        },
    );
    let text = marked(&line.text, search);
    format!(
        r#"<li{class}>{time}<span class="level">{level}</span><span class="text">{text}</span></li>"#
    )
}

/// The text with every hit of the search marked.
fn marked(text: &str, search: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some((from, to)) = find(rest, search) {
        out.push_str(&escape(&rest[..from]));
        out.push_str("<mark>");
        out.push_str(&escape(&rest[from..to]));
        out.push_str("</mark>");
        rest = &rest[to..];
    }
    out.push_str(&escape(rest));
    out
}

/// Where `search` stands in `text`, upper and lower case of ASCII alike.
fn find(text: &str, search: &str) -> Option<(usize, usize)> {
    if search.is_empty() {
        return None;
    }
    let at = text
        .to_ascii_lowercase()
        .find(&search.to_ascii_lowercase())?;
    Some((at, at + search.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: Level, text: &str) -> LogLine {
        LogLine {
            at: None,
            level,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_search_finds_either_case_and_marks_without_breaking_markup() {
        let filter = Filter::new("WhatsApp", "", Role::Viewer);
        assert!(filter.matches(&line(Level::Info, "[whatsapp] <up>")));
        assert!(!filter.matches(&line(Level::Info, "telegram")));
        assert_eq!(
            marked("[whatsapp] <up> Ärger", "WhatsApp"),
            "[<mark>whatsapp</mark>] &lt;up&gt; Ärger"
        );
    }

    #[test]
    fn the_level_filter_keeps_what_is_as_loud_or_louder() {
        let filter = Filter::new("", "warn", Role::Viewer);
        assert!(filter.matches(&line(Level::Error, "x")));
        assert!(filter.matches(&line(Level::Warn, "x")));
        assert!(!filter.matches(&line(Level::Info, "x")));
    }

    #[test]
    fn who_may_not_see_numbers_cannot_search_for_them_either() {
        let said = line(Level::Info, "message from +4915112345642");
        let whole = Filter::new("12345642", "", Role::Admin).shown(&said);
        assert_eq!(whole, Some(said.clone()));
        assert_eq!(Filter::new("12345642", "", Role::Viewer).shown(&said), None);
        let masked = Filter::new("", "", Role::Viewer).shown(&said).unwrap();
        assert_eq!(masked.text, "message from +49 ••• ••42");
    }
}
