//! The program itself, started as people start it, with a database of its own.

#[cfg(test)]
mod api;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod audit_archives;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod served;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod strength;
#[cfg(test)]
mod support;
