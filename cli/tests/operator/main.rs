//! `ahoy doctor`, `setup`, `number` and `forget`, run as the real program against simulated Meta, AWS and OpenAI and the real webhook.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod business;
mod doctor;
mod doctor_fixes;
mod forget;
mod number;
mod prompts;
mod setup;
mod sip_doctor;
mod sip_server;
mod sip_setup;
mod webhook_server;
