//! What a person sees. Pages are markup from the server, complete without JavaScript; islands only make
//! them live. Everything but `islands` belongs to the server alone, so the browser's part stays small.

pub mod islands;

#[cfg(feature = "ssr")]
mod alerts;
#[cfg(feature = "ssr")]
mod answer;
#[cfg(feature = "ssr")]
mod call;
#[cfg(feature = "ssr")]
pub mod codes;
#[cfg(feature = "ssr")]
mod error;
#[cfg(feature = "ssr")]
pub mod forms;
#[cfg(feature = "ssr")]
pub mod live;
#[cfg(feature = "ssr")]
mod markdown;
#[cfg(feature = "ssr")]
mod own_mail;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod panel;
#[cfg(feature = "ssr")]
mod register;
#[cfg(feature = "ssr")]
mod reports;
#[cfg(feature = "ssr")]
mod reviews;
#[cfg(feature = "ssr")]
mod rungs;
#[cfg(feature = "ssr")]
mod second;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "ssr")]
mod ui;

#[cfg(feature = "ssr")]
pub use crate::{
    alerts::{folded as alerts_folded, letter as alert_letter},
    answer::{inside, outside, pages as urls},
    call::{Call, Confirmed, Went},
    error::PanelError,
    own_mail::{folded as own_mails_folded, letter as own_mail},
    pages::answer::sorry,
    pages::logs::Filter,
    panel::{OwnSession, Panel, RenewError, Reveals, Screen, SiteFiles, Viewer, must_have},
    reports::{Letter, letter as report_letter},
};
