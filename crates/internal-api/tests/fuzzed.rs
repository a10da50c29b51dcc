//! Replays the fuzz corpus of the control API's request signatures.

#[path = "../../../fuzz/bodies/control_api.rs"]
mod control_api;
#[path = "../../../fuzz/bodies/replay.rs"]
mod replay;

#[test]
fn the_corpus_holds_no_forged_or_replayed_request_that_passes() {
    assert!(replay::replay("control_api", control_api::run) >= 15);
}
