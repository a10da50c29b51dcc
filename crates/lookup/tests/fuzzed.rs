//! Replays the fuzz corpus of replies to lookups in an ordinary test.

#[path = "../../../fuzz/bodies/lookup_reply.rs"]
mod lookup_reply;
#[path = "../../../fuzz/bodies/replay.rs"]
mod replay;

#[test]
fn no_reply_of_the_corpus_breaks_reading_or_leaves_its_fence() {
    assert!(replay::replay("lookup_reply", lookup_reply::run) >= 15);
}
