//! Replays the fuzzer's corpus of SDP offers.

#[path = "../../fuzz/bodies/offer.rs"]
mod offer;
#[path = "../../fuzz/bodies/replay.rs"]
mod replay;

#[test]
fn no_offer_of_the_corpus_breaks_the_answer() {
    assert!(replay::replay("offer", offer::run) >= 30);
}
