//! `ahoy doctor`, `ahoy setup` and `ahoy number` as an operator runs them: the real program, against Meta, AWS and OpenAI as
//! simulated, and the real webhook.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod business;
mod doctor;
mod doctor_fixes;
mod forgetting;
mod front;
mod number;
mod prompts;
mod setup;
