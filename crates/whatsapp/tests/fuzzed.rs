//! Replays the fuzz corpus of webhook bodies and signatures in an ordinary test.

#[path = "../../../fuzz/bodies/replay.rs"]
mod replay;
#[path = "../../../fuzz/bodies/signature.rs"]
mod signature;
#[path = "../../../fuzz/bodies/webhook.rs"]
mod webhook;

#[test]
fn no_body_of_the_corpus_breaks_parsing_or_costs_a_call() {
    assert!(replay::replay("webhook", webhook::run) >= 100);
}

#[test]
fn no_forged_signature_of_the_corpus_is_accepted() {
    assert!(replay::replay("signature", signature::run) >= 15);
}
