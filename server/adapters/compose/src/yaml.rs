//! YAML text to a tree that remembers lines.
//!
//! Anchors, aliases and merge keys are resolved here, duplicate keys are refused, and a file that
//! would grow without bound when its aliases are followed is refused too.

mod scalar;

use std::collections::BTreeMap;
use std::path::Path;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use crate::error::{ComposeError, Place};

/// Longest text that is read: a compose file has a few kilobytes.
const MAX_BYTES: usize = 1 << 20;
/// Deepest nesting; compose itself needs seven.
const MAX_DEPTH: usize = 64;
/// Most values, those repeated by aliases counted every time.
const MAX_NODES: usize = 50_000;

/// Where something starts, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Mark {
    pub(crate) fn place(self, file: &Path) -> Place {
        Place {
            file: file.to_owned(),
            line: self.line,
            column: Some(self.column),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) at: Mark,
    pub(crate) value: Value,
}

/// A value as go-yaml, which compose is built on, would see it.
#[derive(Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Flag(bool),
    Whole(i128),
    Number(f64),
    /// An unquoted date, which compose refuses wherever it could stand.
    Date,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Mark,
    pub(crate) value: Node,
}

/// Two values are the same whatever lines they are on.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Value {
    /// What it is, for a sentence.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Flag(_) => "true or false",
            Self::Whole(_) | Self::Number(_) => "a number",
            Self::Date => "an unquoted date",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }

    /// A scalar as compose writes it into an environment or a label; `None` for nothing at all.
    pub(crate) fn scalar_text(&self) -> Option<String> {
        match self {
            Self::Flag(flag) => Some(flag.to_string()),
            Self::Whole(number) => Some(number.to_string()),
            Self::Number(number) => Some(scalar::number_text(*number)),
            Self::Text(text) => Some(text.clone()),
            Self::Null | Self::Date | Self::List(_) | Self::Map(_) => None,
        }
    }
}

/// Reads the one document of a file.
pub(crate) fn read(text: &str, file: &Path) -> Result<Node, ComposeError> {
    let mut tree = Tree::new(file);
    if text.len() > MAX_BYTES {
        return Err(tree.refuse(Mark { line: 1, column: 1 }, "it is longer than a mebibyte"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| tree.scan_error(&error))?;
        tree.event(event, span)?;
    }
    tree.finish()
}

/// A mapping or list whose end has not come yet.
struct Open {
    at: Mark,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    lines: BTreeMap<String, usize>,
    key: Option<(String, Mark)>,
    merge: Option<Node>,
    merge_next: bool,
}

struct Tree<'a> {
    file: &'a Path,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
}

impl<'a> Tree<'a> {
    fn new(file: &'a Path) -> Self {
        Self {
            file,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            nodes: 0,
            documents: 0,
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), ComposeError> {
        let at = mark(span);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(ComposeError::Unsupported {
                        place: at.place(self.file),
                        what: "a second document in one file".to_owned(),
                        advice: "keep one document and remove the `---` line".to_owned(),
                    });
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let value = match self.tag(tag.as_deref(), at)? {
                    Some("str") => Value::Text(text.into_owned()),
                    Some(_) => return Err(self.tag_error(at)),
                    None if plain => scalar::resolve(&text),
                    None => Value::Text(text.into_owned()),
                };
                let merge_key = plain && matches!(&value, Value::Text(text) if text == "<<");
                self.value(Node { at, value }, anchor, merge_key)?;
            }
            Event::SequenceStart(anchor, tag) => {
                if !matches!(self.tag(tag.as_deref(), at)?, None | Some("seq")) {
                    return Err(self.tag_error(at));
                }
                self.start(Open {
                    at,
                    anchor,
                    kind: OpenKind::List(Vec::new()),
                })?;
            }
            Event::MappingStart(anchor, tag) => {
                if !matches!(self.tag(tag.as_deref(), at)?, None | Some("map")) {
                    return Err(self.tag_error(at));
                }
                self.start(Open {
                    at,
                    anchor,
                    kind: OpenKind::Map(OpenMap::default()),
                })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(self.refuse(at, "an alias stands inside its own anchor"));
                };
                let node = Node {
                    at,
                    value: node.value.clone(),
                };
                self.count(at, size(&node))?;
                self.value(node, 0, false)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn start(&mut self, open: Open) -> Result<(), ComposeError> {
        self.count(open.at, 1)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(self.refuse(open.at, "it is nested too deeply"));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), ComposeError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.kind {
            OpenKind::List(items) => Value::List(items),
            OpenKind::Map(mut map) => {
                if let Some(merge) = map.merge.take() {
                    self.merge(&mut map, merge)?;
                }
                Value::Map(map.entries)
            }
        };
        self.value(Node { at: open.at, value }, open.anchor, false)
    }

    /// Puts a finished value where it belongs: as a key, a value, an item or the root.
    fn value(&mut self, node: Node, anchor: usize, merge_key: bool) -> Result<(), ComposeError> {
        self.count(node.at, 1)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let file = self.file;
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map(map)) => {
                if map.merge_next {
                    map.merge_next = false;
                    map.merge = Some(node);
                } else if let Some((key, at)) = map.key.take() {
                    map.entries.push(Entry {
                        key,
                        at,
                        value: node,
                    });
                } else {
                    map.key(node, merge_key, file)?;
                }
            }
        }
        Ok(())
    }

    /// `<<: *base` or `<<: [*first, *second]`: the mapping's own keys win, then the earlier ones.
    fn merge(&mut self, map: &mut OpenMap, merge: Node) -> Result<(), ComposeError> {
        let bases = match merge.value {
            Value::List(items) => items,
            value => vec![Node {
                at: merge.at,
                value,
            }],
        };
        for base in bases {
            let Value::Map(entries) = base.value else {
                return Err(self.refuse(base.at, "`<<` takes a mapping or a list of mappings"));
            };
            for entry in entries {
                if !map.lines.contains_key(&entry.key) {
                    map.lines.insert(entry.key.clone(), entry.at.line);
                    map.entries.push(entry);
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Node, ComposeError> {
        let empty = Mark { line: 1, column: 1 };
        self.root
            .clone()
            .ok_or_else(|| self.refuse(empty, "the file is empty"))
    }

    fn count(&mut self, at: Mark, nodes: usize) -> Result<(), ComposeError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(self.refuse(at, "it has too many values, perhaps aliases of aliases"));
        }
        Ok(())
    }

    /// The name of a tag of the YAML core schema.
    fn tag<'t>(&self, tag: Option<&'t Tag>, at: Mark) -> Result<Option<&'t str>, ComposeError> {
        match tag {
            None => Ok(None),
            Some(tag) if tag.is_yaml_core_schema() => Ok(Some(&tag.suffix)),
            Some(_) => Err(self.tag_error(at)),
        }
    }

    fn tag_error(&self, at: Mark) -> ComposeError {
        ComposeError::Unsupported {
            place: at.place(self.file),
            what: "a YAML tag (`!…`)".to_owned(),
            advice: "write the value without it, in quotes if it is text".to_owned(),
        }
    }

    fn scan_error(&self, error: &ScanError) -> ComposeError {
        let marker = error.marker();
        let at = Mark {
            line: marker.line(),
            column: marker.col() + 1,
        };
        self.refuse(at, error.info())
    }

    fn refuse(&self, at: Mark, problem: &str) -> ComposeError {
        ComposeError::Syntax {
            place: at.place(self.file),
            problem: problem.to_owned(),
        }
    }
}

impl OpenMap {
    fn key(&mut self, node: Node, merge_key: bool, file: &Path) -> Result<(), ComposeError> {
        let Value::Text(key) = node.value else {
            return Err(ComposeError::Syntax {
                place: node.at.place(file),
                problem: format!("a key is {} and must be text, so put it in quotes", {
                    node.value.kind()
                }),
            });
        };
        if let Some(first_line) = self.lines.insert(key.clone(), node.at.line) {
            return Err(ComposeError::DuplicateKey {
                place: node.at.place(file),
                key: crate::error::shown(&key),
                first_line,
            });
        }
        if merge_key {
            self.merge_next = true;
        } else {
            self.key = Some((key, node.at));
        }
        Ok(())
    }
}

fn mark(span: Span) -> Mark {
    Mark {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|entry| size(&entry.value)).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
