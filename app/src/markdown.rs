//! Procedures that people write, as markup: what they mean as Markdown, and nothing that could do more than be read.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// The text as markup. HTML in it is shown as it was typed, pictures as their words, and links go to the web, to a
/// page of this panel or to somebody's mail, or they are no links.
pub(crate) fn markup(text: &str) -> String {
    let mut links: Vec<Shown> = Vec::new();
    let events = Parser::new_ext(text, Options::empty()).filter_map(|event| {
        Some(match event {
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
            Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
            Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
            // The page's own headings are larger than any of a procedure.
            Event::Start(Tag::Heading { .. }) => Event::Start(Tag::Heading {
                level: HeadingLevel::H3,
                id: None,
                classes: Vec::new(),
                attrs: Vec::new(),
            }),
            Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(HeadingLevel::H3)),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => return None,
            Event::Start(Tag::Link { ref dest_url, .. }) => {
                let shown = if leads_somewhere_good(dest_url) {
                    Shown::AsLink
                } else {
                    Shown::AsWords
                };
                links.push(shown);
                return (shown == Shown::AsLink).then_some(event);
            }
            Event::End(TagEnd::Link) => {
                return (links.pop() == Some(Shown::AsLink)).then_some(event);
            }
            other => other,
        })
    });
    let mut markup = String::with_capacity(text.len() * 2);
    html::push_html(&mut markup, events);
    markup
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    AsLink,
    AsWords,
}

fn leads_somewhere_good(to: &str) -> bool {
    let to = to.to_ascii_lowercase();
    let ours = to.starts_with('/') && !to.starts_with("//") && !to.contains('\\');
    ours || ["https://", "http://", "mailto:"]
        .iter()
        .any(|good| to.starts_with(good))
}

/// The items of the text's first list, as plain words: what is ticked one by one.
pub(crate) fn steps(text: &str) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    for event in Parser::new_ext(text, Options::empty()) {
        match event {
            Event::Start(Tag::List(_)) => depth += 1,
            Event::End(TagEnd::List(_)) => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            Event::Start(Tag::Item) if depth == 1 => steps.push(String::new()),
            Event::Text(words)
            | Event::Code(words)
            | Event::Html(words)
            | Event::InlineHtml(words) => {
                if let Some(step) = steps.last_mut() {
                    step.push_str(&words);
                }
            }
            Event::SoftBreak
            | Event::HardBreak
            | Event::Start(Tag::Paragraph | Tag::Item | Tag::CodeBlock(_)) => {
                if let Some(step) = steps.last_mut() {
                    step.push(' ');
                }
            }
            _ => {}
        }
    }
    let tidy = |step: String| step.split_whitespace().collect::<Vec<_>>().join(" ");
    let steps = steps.into_iter().map(tidy);
    steps.filter(|step| !step.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_procedure_is_shown_as_it_is_meant() {
        let shown = markup(
            "# Before\n\nSee [the book](https://book.example).\n\n1. Make `a key`\n2. **Try** it",
        );
        assert_eq!(
            shown,
            "<h3>Before</h3>\n<p>See <a href=\"https://book.example\">the book</a>.</p>\n<ol>\n\
             <li>Make <code>a key</code></li>\n<li><strong>Try</strong> it</li>\n</ol>\n"
        );
    }

    #[test]
    fn what_could_do_more_than_be_read_is_shown_as_words() {
        for (typed, shown) in [
            (
                "<script>alert(1)</script>",
                "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n",
            ),
            (
                "a <b onclick=\"x\">b</b>",
                "<p>a &lt;b onclick=\"x\"&gt;b&lt;/b&gt;</p>\n",
            ),
            ("[x](javascript:alert(1))", "<p>x</p>\n"),
            ("[x](data:text/html,y)", "<p>x</p>\n"),
            ("[x](//evil.example)", "<p>x</p>\n"),
            ("[x](/\\evil.example)", "<p>x</p>\n"),
            ("![x](https://evil.example/p.png)", "<p>x</p>\n"),
            (
                "[![x](https://evil.example/p.png)](https://a.example)",
                "<p><a href=\"https://a.example\">x</a></p>\n",
            ),
            ("<javascript:alert(1)>", "<p>javascript:alert(1)</p>\n"),
        ] {
            assert_eq!(markup(typed), shown, "{typed}");
        }
    }

    #[test]
    fn the_steps_are_the_items_of_the_first_list() {
        let text = "Before.\n\n1. Make `a key`\n   with *care*\n2. Put it\n   - here\n   - there\n\nThen:\n\n- not this";
        assert_eq!(steps(text), ["Make a key with care", "Put it here there"]);
        assert_eq!(steps("No list at all."), [""; 0]);
        assert_eq!(steps("1.\n2. two"), ["two"]);
    }

    proptest! {
        /// Every tag is one that a procedure may have, and no attribute but a link's.
        #[test]
        fn no_text_makes_markup_that_it_should_not(text in "([<>!\\[\\]()\"'`*_#\\- \n/:=a-z0-9]|javascript:|<img src=x onerror=y>|\\]\\(javascript:|<!--|<a href=){0,60}") {
            let shown = markup(&text);
            let tags = shown.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or(rest));
            for tag in tags {
                let tag = tag.trim_start_matches('/').trim_end_matches(" /");
                let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
                let known = ["p", "h3", "ol", "ul", "li", "code", "pre", "strong", "em", "a", "hr", "br", "blockquote"];
                prop_assert!(known.contains(&name), "{name}: {shown}");
                match name {
                    "a" => prop_assert!(
                        ["href=\"/", "href=\"http", "href=\"mailto:"].iter().any(|good| attributes.to_ascii_lowercase().starts_with(good)),
                        "{shown}"
                    ),
                    "ol" => prop_assert!(attributes.is_empty() || attributes.starts_with("start=\""), "{shown}"),
                    "code" => prop_assert!(attributes.is_empty() || attributes.starts_with("class=\"language-"), "{shown}"),
                    _ => prop_assert!(attributes.is_empty(), "{shown}"),
                }
            }
        }
    }
}
