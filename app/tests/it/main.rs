//! Every page and form, asked through the router, told by fakes.

mod browser;
mod every_page;
mod fakes;
mod forms;
mod gateway;
mod live;
mod others;
mod scenes;
