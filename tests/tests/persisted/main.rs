//! What is stored, and what our own processes say to each other, stays byte for byte: `fixtures/persisted/`.
//!
//! Each value built here is written as its line says, and each line is read and written back unchanged. A new variant or field does not
//! compile until it has a value here, and its value fails the test until it has a line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod held;
mod agent_files;
mod calls;
mod conversations;
mod events;
mod injected_faults;
mod items;
mod keys;
mod orders;
mod settings;
mod table;
mod words;
