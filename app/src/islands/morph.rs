//! Changes an element into another one by touching only what differs: focus, open details, scrolling and
//! text being typed stay as they are.

use wasm_bindgen::JsCast as _;
use web_sys::{Document, Element, HtmlTemplateElement, Node};

/// Makes the element `id` look like `html`. Nothing happens when the page has no such element.
pub(super) fn patch(document: &Document, id: &str, html: &str) {
    let old = document.get_element_by_id(id);
    if let (Some(old), Some(new)) = (old, parse(document, html)) {
        morph(&old, &new);
    }
}

/// The first element of `html`, not yet in the page.
fn parse(document: &Document, html: &str) -> Option<Element> {
    let template: HtmlTemplateElement =
        document.create_element("template").ok()?.dyn_into().ok()?;
    template.set_inner_html(html);
    template.content().first_element_child()
}

fn morph(old: &Element, new: &Element) {
    if old.node_name() != new.node_name() {
        replace(old, new);
        return;
    }
    attributes(old, new);
    let mut next = new.first_child();
    let mut present = old.first_child();
    while let Some(wanted) = next {
        next = wanted.next_sibling();
        match present {
            Some(there) => {
                present = there.next_sibling();
                child(&there, &wanted);
            }
            None => {
                // A child that cannot be added comes with the next patch.
                drop(old.append_child(&wanted));
            }
        }
    }
    while let Some(left) = present {
        present = left.next_sibling();
        drop(old.remove_child(&left));
    }
}

fn child(old: &Node, new: &Node) {
    match (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
        (Some(old), Some(new)) => morph(old, new),
        (None, None) if old.node_type() == new.node_type() => {
            let text = new.node_value();
            if old.node_value() != text {
                old.set_node_value(text.as_deref());
            }
        }
        _ => replace(old, new),
    }
}

fn replace(old: &Node, new: &Node) {
    if let Some(parent) = old.parent_node() {
        drop(parent.replace_child(new, old));
    }
}

/// The state that belongs to the person and not to the server.
fn is_theirs(attribute: &str) -> bool {
    attribute == "open"
}

fn attributes(old: &Element, new: &Element) {
    let wanted = new.attributes();
    for index in 0..wanted.length() {
        if let Some(attribute) = wanted.item(index) {
            let (name, value) = (attribute.name(), attribute.value());
            if !is_theirs(&name) && old.get_attribute(&name).as_deref() != Some(&value) {
                drop(old.set_attribute(&name, &value));
            }
        }
    }
    let present = old.attributes();
    for index in (0..present.length()).rev() {
        if let Some(attribute) = present.item(index) {
            let name = attribute.name();
            if !is_theirs(&name) && !new.has_attribute(&name) {
                drop(old.remove_attribute(&name));
            }
        }
    }
}
