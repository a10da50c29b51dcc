//! Any request to the control API: no panic; none that is forged or repeated is accepted.
#![no_main]

#[path = "../bodies/control_api.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
