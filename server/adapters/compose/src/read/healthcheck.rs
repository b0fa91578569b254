//! `healthcheck` of a service.

use crate::error::ComposeError;
use crate::fields::Field;
use crate::model::{Check, Healthcheck};
use crate::yaml::Value;

/// What a test turns out to be.
enum Test {
    Off,
    Words(Vec<String>),
}

pub(super) fn read(field: &Field<'_>) -> Result<Healthcheck, ComposeError> {
    let mut table = field.table()?;
    let disabled = table.flag("disable")?;
    let test = table.or_default("test", test)?;
    let mut check = Check {
        test: None,
        interval: table.read("interval", Field::duration)?,
        timeout: table.read("timeout", Field::duration)?,
        start_period: table.read("start_period", Field::duration)?,
        start_interval: table.read("start_interval", Field::duration)?,
        retries: table.read("retries", Field::small)?,
    };
    table.finish()?;
    match test {
        _ if disabled => return Ok(Healthcheck::Disabled),
        Some(Test::Off) => return Ok(Healthcheck::Disabled),
        Some(Test::Words(words)) => check.test = Some(words),
        None => {}
    }
    Ok(Healthcheck::Check(check))
}

/// A text is for the shell; a list says itself what it is for.
fn test(field: &Field<'_>) -> Result<Option<Test>, ComposeError> {
    if let Value::Text(text) = &field.node.value {
        if text.is_empty() {
            return Err(field.invalid("is empty; write the command or remove the key"));
        }
        return Ok(Some(Test::Words(vec![
            "CMD-SHELL".to_owned(),
            text.clone(),
        ])));
    }
    let mut words = Vec::new();
    for item in field.list()? {
        words.push(item.text()?.to_owned());
    }
    match words.first().map(String::as_str) {
        None => Ok(None),
        Some("NONE") => Ok(Some(Test::Off)),
        Some("CMD" | "CMD-SHELL") if words.len() > 1 => Ok(Some(Test::Words(words))),
        Some(_) => Err(field.invalid(
            "must start with `CMD` and the program, `CMD-SHELL` and the command line, or `NONE`",
        )),
    }
}
