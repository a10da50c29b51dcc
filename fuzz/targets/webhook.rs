//! Any webhook body: no panic, and no call beside it is lost.
#![no_main]

#[path = "../bodies/webhook.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
