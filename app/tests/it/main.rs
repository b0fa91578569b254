//! Every page and form, asked through the router, told by fakes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop them as tests do"
)]

mod accounts;
mod audit;
mod audit_list;
mod authorisation;
mod backups;
mod browser;
mod credentials;
mod every_page;
mod fake_identity;
mod fake_keys;
mod fake_people;
mod fake_register;
mod fake_reports;
mod fake_trail;
mod fakes;
mod forms;
mod gateway;
mod hand_off;
mod identity;
mod keys;
mod live;
mod mailbox;
mod others;
mod passkeys;
mod print;
mod proposals;
mod recover;
mod report;
mod restore;
mod reviews;
mod roles;
mod scan;
mod scenes;
mod second_factor;
mod sessions;
mod tokens;
mod views;
mod welcome;
mod wipe;
