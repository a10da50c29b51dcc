//! Any request to the control API: no panic; none that is forged or repeated is accepted.
#![no_main]

#[path = "../bodies/door.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
