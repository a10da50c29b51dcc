//! What the fuzzer feeds the door, fed to it in an ordinary test.

#[path = "../../../fuzz/bodies/door.rs"]
mod door;
#[path = "../../../fuzz/bodies/replay.rs"]
mod replay;

#[test]
fn no_request_of_the_corpus_is_let_in_without_its_seal_or_twice() {
    assert!(replay::replay("door", door::run) >= 15);
}
