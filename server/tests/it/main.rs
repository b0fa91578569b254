//! The program itself, started as people start it, with a database of its own.

#[cfg(test)]
mod api;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod support;
