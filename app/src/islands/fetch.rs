//! What the panel answers in JSON.

use js_sys::{Function, JSON, Object, Promise, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::screen::get;

/// What the browser, a device or the panel said when it would not: the panel in a sentence, the others as an error.
pub(super) struct Refused(pub(super) JsValue);

impl From<JsValue> for Refused {
    fn from(error: JsValue) -> Self {
        Self(error)
    }
}

/// Fetches what is at a URL of the panel, or posts a form's fields to it.
pub(super) async fn fetched(url: &str, form: Option<&[(&str, &str)]>) -> Result<JsValue, Refused> {
    let window = web_sys::window().ok_or(JsValue::UNDEFINED)?;
    let fetch = get(&window, "fetch").dyn_into::<Function>()?;
    let response = match form {
        None => fetch.call1(&window, &url.into())?,
        Some(fields) => fetch.call2(&window, &url.into(), post(fields)?.as_ref())?,
    };
    let response = awaited(response).await?;
    let text = get(&response, "text").dyn_into::<Function>()?;
    let text = awaited(text.call0(&response)?).await?;
    let text = text.as_string().unwrap_or_default();
    if get(&response, "ok").is_falsy() {
        return Err(Refused(text.into()));
    }
    Ok(JSON::parse(&text)?)
}

fn post(fields: &[(&str, &str)]) -> Result<Object, JsValue> {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            let value = String::from(js_sys::encode_uri_component(value));
            format!("{name}={value}")
        })
        .collect();
    let headers = Object::new();
    let kind = "application/x-www-form-urlencoded";
    Reflect::set(&headers, &"content-type".into(), &kind.into())?;
    let init = Object::new();
    Reflect::set(&init, &"method".into(), &"POST".into())?;
    Reflect::set(&init, &"headers".into(), &headers)?;
    Reflect::set(&init, &"body".into(), &fields.join("&").into())?;
    Ok(init)
}

/// What a promise comes to.
pub(super) async fn awaited(promise: JsValue) -> Result<JsValue, Refused> {
    Ok(JsFuture::from(promise.dyn_into::<Promise>()?).await?)
}
