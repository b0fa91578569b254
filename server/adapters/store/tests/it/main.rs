//! The store against a real Postgres, and the private cluster with real processes.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod api_tokens;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod audit_archive;
#[cfg(test)]
mod audit_chain;
#[cfg(test)]
mod audit_export;
#[cfg(test)]
mod audit_read;
#[cfg(test)]
mod authenticator;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod hand_offs;
#[cfg(test)]
mod history;
#[cfg(test)]
mod identities;
#[cfg(test)]
mod invitations;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod key_rotations;
#[cfg(test)]
mod lead;
#[cfg(test)]
mod mailboxes;
#[cfg(test)]
mod no_event_no_act;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod people;
#[cfg(test)]
mod proposals;
#[cfg(test)]
mod register;
#[cfg(test)]
mod report;
#[cfg(test)]
mod reviews;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod second_factor;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod support;
#[cfg(test)]
mod views;
