//! What runs in the browser. An island is here because it changes without a request; the page works
//! without it. They carry no data: the page's markup holds all they need.

mod fetch;
pub mod follow;
mod hold;
pub mod live;
mod morph;
mod passkey;
mod print;
mod screen;
mod stream;
mod strength;
mod times;

pub use follow::Follow;
pub use live::Live;
