//! Which files make up a project, and what it is called.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::Files;
use crate::env_file::EnvFile;
use crate::error::{ComposeError, Place};
use crate::fields::Field;
use crate::variables::Variables;
use crate::yaml::{Node, Value};

/// Compose's own order.
const NAMES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];
const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// `.env` beside the compose file; a missing one is empty.
pub(super) fn dot_env(
    folder: &Path,
    files: &dyn Files,
    environment: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ComposeError> {
    let disabled = environment
        .get("COMPOSE_DISABLE_ENV_FILE")
        .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "t" | "true"));
    if disabled {
        return Ok(BTreeMap::new());
    }
    let file = folder.join(".env");
    match read_if_there(&file, files)? {
        None => Ok(BTreeMap::new()),
        Some(text) => EnvFile::parse(&text)
            .and_then(|env_file| env_file.values(environment))
            .map_err(|source| ComposeError::EnvFile { file, source }),
    }
}

/// The compose file and its text. What compose would add to it without being asked is refused.
pub(super) fn compose_file(
    folder: &Path,
    files: &dyn Files,
    variables: &Variables,
) -> Result<(PathBuf, String), ComposeError> {
    for (name, advice) in [
        (
            "COMPOSE_FILE",
            "unset it and use the compose file of the folder",
        ),
        ("COMPOSE_ENV_FILES", "unset it and use `.env`"),
    ] {
        if variables.get(name).is_some_and(|value| !value.is_empty()) {
            return Err(ComposeError::Unsupported {
                place: Place {
                    file: folder.join(".env"),
                    line: 1,
                    column: None,
                },
                what: format!("the variable `{name}`"),
                advice: advice.to_owned(),
            });
        }
    }
    for name in OVERRIDES {
        let file = folder.join(name);
        if read_if_there(&file, files)?.is_some() {
            return Err(ComposeError::Unsupported {
                place: Place {
                    file,
                    line: 1,
                    column: None,
                },
                what: "an override file".to_owned(),
                advice: "move its settings into the compose file and delete it".to_owned(),
            });
        }
    }
    for name in NAMES {
        let file = folder.join(name);
        if let Some(text) = read_if_there(&file, files)? {
            return Ok((file, text));
        }
    }
    Err(ComposeError::NoComposeFile {
        folder: folder.to_owned(),
    })
}

pub(super) fn read_if_there(
    file: &Path,
    files: &dyn Files,
) -> Result<Option<String>, ComposeError> {
    match files.read(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ComposeError::Unreadable {
            file: file.to_owned(),
            source,
        }),
    }
}

pub(super) fn project_name(
    root: &Node,
    folder: &Path,
    file: &Path,
    variables: &Variables,
) -> Result<String, ComposeError> {
    if let Some(name) = variables
        .get("COMPOSE_PROJECT_NAME")
        .filter(|name| !name.is_empty())
    {
        if normalised(&name) == name {
            return Ok(name);
        }
        return Err(Field::root(file, root).invalid(
            "cannot be read, because `COMPOSE_PROJECT_NAME` is not a project name: use lower-case \
             letters, digits, `-` and `_`, and start with a letter or digit",
        ));
    }
    let written = match &root.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == "name"),
        _ => None,
    };
    if let Some(entry) = written {
        let field = Field {
            file,
            path: "name".to_owned(),
            node: &entry.value,
        };
        let text = field.text()?;
        let name = normalised(&variables.replace(text, &entry.value, "name", file)?);
        if !name.is_empty() {
            return Ok(name);
        }
        if !text.is_empty() {
            return Err(field.invalid("leaves nothing of a project name; use letters and digits"));
        }
    }
    let name = normalised(&folder.file_name().unwrap_or_default().to_string_lossy());
    if name.is_empty() {
        return Err(Field::root(file, root).invalid(
            "has no `name`, and none can be made from the folder's; add `name:` at the top",
        ));
    }
    Ok(name)
}

/// Lower case, with only what a project name may have.
fn normalised(name: &str) -> String {
    let kept: String = name
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(*c))
        .collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}

/// Without `.`, `..` and doubled slashes, by the text alone.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}
