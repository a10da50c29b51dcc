//! Any reply to a lookup: no panic; nothing of it leaves its line or its fence.
#![no_main]

#[path = "../bodies/lookup_reply.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
