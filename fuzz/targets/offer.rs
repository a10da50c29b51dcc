//! Any SDP offer: no panic, and an answer in the form WhatsApp takes, or a refusal.
#![no_main]

#[path = "../bodies/offer.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
