//! `$NAME` and `${NAME…}`, as compose replaces them.

/// Defaults within defaults, at most so deep.
const MAX_DEPTH: usize = 32;

/// Why a text cannot be interpolated. Holds no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// `${…` that is not a reference.
    Malformed(&'static str),
    /// `${NAME:?message}` or `${NAME?message}` without a value. The message is not interpolated,
    /// because it could then hold a value.
    Missing { name: String, message: String },
}

/// Replaces every reference. `lookup` is asked only for names whose value matters.
pub(crate) fn interpolate(
    text: &str,
    lookup: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<String, Problem> {
    replace(text, lookup, 0)
}

fn replace(
    text: &str,
    lookup: &mut dyn FnMut(&str) -> Option<String>,
    depth: usize,
) -> Result<String, Problem> {
    if depth > MAX_DEPTH {
        return Err(Problem::Malformed("has defaults within defaults, too deep"));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        if let Some(more) = after.strip_prefix('$') {
            out.push('$');
            rest = more;
        } else if after.starts_with('{') {
            let end = closing_brace(after)
                .ok_or(Problem::Malformed("has a `${` without its closing `}`"))?;
            out.push_str(&braced(&after[1..end], lookup, depth)?);
            rest = &after[end + 1..];
        } else {
            let name = leading_name(after);
            if name.is_empty() {
                // Compose leaves a dollar alone that starts no name, as in `$(date)` or `5$`.
                out.push('$');
            } else {
                out.push_str(&lookup(name).unwrap_or_default());
            }
            rest = &after[name.len()..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// What stands between `${` and its `}`.
fn braced(
    inner: &str,
    lookup: &mut dyn FnMut(&str) -> Option<String>,
    depth: usize,
) -> Result<String, Problem> {
    let name = leading_name(inner);
    if name.is_empty() {
        return Err(Problem::Malformed(
            "has a `${` without a variable name after it",
        ));
    }
    if inner.contains('\n') {
        return Err(Problem::Malformed("has a line break inside `${…}`"));
    }
    let rest = &inner[name.len()..];
    // With a colon, an empty value counts as none.
    let (empty_counts, operator) = match rest.strip_prefix(':') {
        Some(operator) => (false, operator),
        None => (true, rest),
    };
    let value = lookup(name);
    let present = value
        .as_ref()
        .is_some_and(|value| empty_counts || !value.is_empty());
    let value = value.unwrap_or_default();
    let mut word = operator.chars();
    match word.next() {
        None if empty_counts => Ok(value),
        Some('-') if present => Ok(value),
        Some('-') => replace(word.as_str(), lookup, depth + 1),
        Some('+') if present => replace(word.as_str(), lookup, depth + 1),
        Some('?') if !present => Err(Problem::Missing {
            name: name.to_owned(),
            message: word.as_str().to_owned(),
        }),
        Some('+' | '?') => Ok(value),
        _ => Err(Problem::Malformed(
            "has a `${…}` that is none of `${A}`, `${A:-b}`, `${A:?b}`",
        )),
    }
}

fn leading_name(text: &str) -> &str {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        ""
    } else {
        &text[..end]
    }
}

/// The position of the brace that closes the one `text` starts with.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests;
