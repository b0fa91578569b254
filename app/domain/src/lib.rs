//! The words and rules of the panel: no I/O, no async runtime, compiles to wasm.
//!
//! Everything that the other layers say to each other is said in these types; everything that can be
//! decided from values alone (the verdict, who may do what, what a code means) is decided here.

pub mod account_history;
pub mod action;
pub mod api_token;
pub mod audit;
pub mod backup;
pub mod can;
pub mod compare;
pub mod credential;
pub mod device;
pub mod disconnect;
pub mod exit_code;
pub mod fact;
pub mod fault;
pub mod gateway;
pub mod gateway_key;
pub mod hand_off;
pub mod history;
pub mod identity;
pub mod invitation;
pub mod key_rotation;
pub mod logs;
pub mod mailbox;
pub mod observation;
pub mod operation;
pub mod passkey;
pub mod password;
pub mod path;
pub mod person;
pub mod ports;
pub mod proposal;
pub mod report;
pub mod review;
pub mod scan;
pub mod scrub;
pub mod second_factor;
pub mod session;
pub mod survey;
pub mod time;
pub mod verdict;
pub mod words;
