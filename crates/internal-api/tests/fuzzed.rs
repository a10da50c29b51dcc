//! Replays the fuzz corpus of the control API's request signatures.

#[path = "../../../fuzz/bodies/door.rs"]
mod door;
#[path = "../../../fuzz/bodies/replay.rs"]
mod replay;

#[test]
fn the_corpus_holds_no_forged_or_replayed_request_that_passes() {
    assert!(replay::replay("door", door::run) >= 15);
}
