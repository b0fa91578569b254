//! Small parts that several pages share. They know the panel's words but no page.

pub(crate) mod act;
pub(crate) mod ask;
pub(crate) mod code;
pub(crate) mod frame;
pub(crate) mod moment;
pub(crate) mod passkey;
pub(crate) mod said;
pub(crate) mod strength;
pub(crate) mod strip;

pub(crate) use said::{class_of, escape, in_text_area, phone};
