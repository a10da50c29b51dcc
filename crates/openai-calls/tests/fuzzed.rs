//! Replays the fuzz corpus of SIP headers in an ordinary test.

#[path = "../../../fuzz/bodies/replay.rs"]
mod replay;
#[path = "../../../fuzz/bodies/sip_headers.rs"]
mod sip_headers;

#[test]
fn no_headers_of_the_corpus_break_reading_or_forge_a_key() {
    assert!(replay::replay("sip_headers", sip_headers::run) >= 15);
}
