//! Keys of the table, paths and headers of the control API, request signatures and pseudonyms.

use crate::held::hold_texts;
use call::Fence;
use internal_api::{control_api, request_signature};
use store::{keys, pseudonym};

const NOW: u64 = 1_795_305_600_000;

#[test]
fn keys_of_the_table_keep_their_text() {
    let constants = [
        ("state", keys::STATE),
        ("events", keys::EVENTS),
        ("settings", keys::SETTINGS),
        ("file", keys::FILE),
        ("agents", keys::AGENTS),
        ("numbers", keys::NUMBERS),
        ("summary", keys::SUMMARY),
        ("spent_by", keys::SPENT_BY),
        ("lines", keys::LINES),
        ("left", keys::LEFT),
        ("transfer", keys::TRANSFER),
        ("extract", keys::EXTRACT),
        ("after", keys::AFTER),
        ("outbox", keys::OUTBOX),
        ("outbox_failed", keys::OUTBOX_FAILED),
        ("outbox_delivered", keys::OUTBOX_DELIVERED),
        ("host", keys::HOST),
        ("messages", keys::MESSAGES),
        ("of_call", keys::OF_CALL),
        ("also", keys::ALSO),
        ("levels", keys::LEVELS),
        ("person", keys::PERSON),
        ("notices", keys::NOTICES),
        ("unfit", keys::UNFIT),
        ("lease", keys::LEASE),
        ("launches", keys::LAUNCHES),
        ("ttl", keys::TTL),
        ("index", keys::INDEX),
        ("due", keys::DUE),
        ("ready", keys::READY),
        ("closed", keys::CLOSED),
    ];
    let made = [
        ("call()", keys::call(&"ab12".into())),
        ("event()", keys::event(7, "call-control", 3)),
        ("event(task_writer())", keys::event(7, &keys::task_writer(&"0a".into()), 3)),
        ("number()", keys::number(&"220".into())),
        ("agent()", keys::agent("bike-shop")),
        ("summary()", keys::summary(Fence(2))),
        ("spent_by()", keys::spent_by(Fence(2))),
        ("line()", keys::line(5)),
        ("left()", keys::left(1)),
        ("sent()", keys::sent("call_1")),
        ("message()", keys::message("cd34")),
        ("after()", keys::after("call.ended")),
        ("outbox_host()", keys::outbox_host("shop.example")),
        ("spent()", keys::spent(&"220".into())),
        ("acts()", keys::acts(&"220".into(), "5eed")),
        ("hour()", keys::hour(NOW)),
        ("day()", keys::day("2026-11-22")),
        ("caller()", keys::caller(&"220".into(), "5eed")),
        ("rang()", keys::rang(NOW, &"ab12".into())),
        ("calls()", keys::calls(&"220".into())),
        ("calls_of_day()", keys::calls_of_day("2026-11-22")),
        ("user()", keys::user("5eed")),
        ("also()", keys::also("5eee")),
        ("names_like()", keys::call_refs("ab12cd34ef56")),
        ("forgotten()", keys::forgotten(NOW)),
        ("forgotten_person()", keys::forgotten_person("5eed")),
        ("forgotten_call()", keys::forgotten_call(&"ab12".into())),
        ("account()", keys::account("330")),
        ("notice()", keys::notice("user", "changed", "5eed")),
        ("unfit()", keys::unfit("ff00")),
        ("task()", keys::task(&"0a".into())),
        ("launch()", keys::launch(4)),
        ("forget_at()", keys::forget_at(NOW).to_string()),
        ("sortable()", keys::sortable(42)),
    ];
    let constants = constants.map(|(name, text)| (name.to_owned(), text.to_owned()));
    hold_texts("keys.tsv", constants.into_iter().chain(made.map(|(name, text)| (name.to_owned(), text))));
    assert_eq!(keys::call_ref("CALL#ab12"), Some("ab12".into()));
    assert_eq!(keys::fence_of_summary("SUMMARY#2"), Some(Fence(2)));
    assert_eq!(keys::message_ref("MESSAGE#cd34"), Some("cd34"));
    assert_eq!(keys::launched("LAUNCH#00000000000000000004"), Some(4));
}

#[test]
fn the_door_keeps_paths_headers_and_signatures() {
    let signed = request_signature::SignedRequest {
        time_ms: NOW,
        nonce: "1",
        method: "POST",
        path: "/v1/calls/ab12",
        body: b"{}",
    };
    let texts = [
        ("calls", control_api::CALLS.to_owned()),
        ("path_of()", control_api::path_of(&"ab12".into())),
        ("undelivered", control_api::UNDELIVERED.to_owned()),
        ("header_time", request_signature::TIME.to_owned()),
        ("header_nonce", request_signature::NONCE.to_owned()),
        ("header_seal", request_signature::SIGNATURE.to_owned()),
        ("seal()", signed.sign(b"a key for tests")),
        ("mark()", pseudonym::of(b"a key for tests", "15550001111")),
        ("call_ref()", store::call_ref("wacid.1").to_string()),
        ("message_ref()", whatsapp::message_ref("wamid.1")),
    ];
    hold_texts("door.tsv", texts.map(|(name, text)| (name.to_owned(), text)));
}
