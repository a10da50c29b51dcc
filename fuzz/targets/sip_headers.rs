//! Any SIP headers: no panic, and only numbers are numbers.
#![no_main]

#[path = "../bodies/sip_headers.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
