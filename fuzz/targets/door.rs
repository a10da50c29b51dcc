//! Whatever knocks at a media task's door: no panic, nothing forged is let in, and nothing twice.
#![no_main]

#[path = "../bodies/door.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
