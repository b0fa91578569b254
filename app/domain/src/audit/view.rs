//! Filters of the trail that somebody keeps by a name.

use uuid::Uuid;

/// The most letters of a name.
pub const VIEW_NAME: usize = 40;
/// The most that one person keeps.
pub const VIEWS: usize = 20;

/// A filter with a name, of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// The filter, as it stands in the URL of the page.
    pub query: String,
}

/// A name as it is kept; `None` when it cannot be one.
pub fn view_name(typed: &str) -> Option<String> {
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    (1..=VIEW_NAME)
        .contains(&name.chars().count())
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_a_few_words() {
        assert_eq!(
            view_name("  key\n changes ").as_deref(),
            Some("key changes")
        );
        assert_eq!(
            view_name(&"ü".repeat(40)).map(|name| name.chars().count()),
            Some(40)
        );
        assert_eq!(view_name(&"ü".repeat(41)), None);
        assert_eq!(view_name(" \t"), None);
    }
}
