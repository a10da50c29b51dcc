//! Tests of reading who calls whom.

use super::*;
use proptest::prelude::*;

#[test]
fn reads_the_event_of_a_forwarded_call() {
    let parties = read(&[
        ("From", "<sip:+35699000001@sip.example.net>;tag=a1"),
        ("To", "<sip:proj_test@sip.api.openai.com>"),
        ("Diversion", "<sip:+35621000000@sip.example.net>;reason=unconditional"),
    ]);

    assert_eq!(
        (parties.caller.as_deref(), parties.dialled.as_deref()),
        (Some("35699000001"), Some("35621000000"))
    );
}

#[test]
fn reads_a_call_of_our_edge() {
    let headers = include_bytes!("../../../fixtures/openai-calls/edge-headers.json");
    let headers: Vec<SipHeader> = serde_json::from_slice(headers).expect("the fixture is a list of headers");

    let parties = CallParties::read(&headers);

    let (caller, dialled) = (parties.caller.as_deref(), parties.dialled.as_deref());
    assert_eq!((caller, dialled), (Some("35699000001"), Some("35621000000")));
    assert_eq!(parties.trunk.as_deref(), Some("malta"));
    assert!(crate::trunk_key::is_right(&parties, ["lab-trunk-key"]));
}

#[test]
fn the_carrier_outranks_the_caller() {
    let from = ("From", "sip:+100000@a");
    let party = ("Remote-Party-ID", "<sip:+200000@a>;party=calling");
    let asserted = ("P-Asserted-Identity", "<sip:gateway@a>, <tel:+300000>");

    assert_eq!(read(&[from]).caller.as_deref(), Some("100000"));
    assert_eq!(read(&[from, party]).caller.as_deref(), Some("200000"));
    assert_eq!(read(&[from, party, asserted]).caller.as_deref(), Some("300000"));
}

#[test]
fn reads_the_display_name_of_a_caller_who_shows_the_number() {
    let number = "<sip:+35699000001@a>";
    let name = |value: String| read(&[("From", &value)]).name;

    for (shown, expected) in [
        ("\"Asha\"", Some("Asha")),
        ("Asha", Some("Asha")),
        ("\"Ann, \\\"the <one>\\\" \u{202e}\u{7}two\"", Some("Ann, \"the <one>\" two")),
        ("\"Asha\"\r\n\t", Some("Asha")),
        ("\"unfinished", None),
        ("\" \"", None),
        ("\"Anonymous\"", None),
        ("", None),
    ] {
        assert_eq!(name(format!("{shown} {number};tag=1")).as_deref(), expected, "{shown}");
    }
    assert_eq!(name(format!("\"{}\" {number}", "é".repeat(600))), Some("é".repeat(512)));
    assert_eq!(name("\"Asha\" <sip:anonymous@anonymous.invalid>".into()), None);
    let from = ("From", "\"Asha\" <sip:+35699000001@a>");
    assert_eq!(read(&[from, ("Privacy", "id")]).name, None, "the caller withholds who it is");
}

#[test]
fn the_trunks_own_header_names_the_dialled_number() {
    let to = ("To", "<sip:+10000@a>");
    let called = ("P-Called-Party-ID", "<sip:+20000@a>");
    let history = ("History-Info", "<sip:+30000@a>;index=1, <sip:+30001@a>;index=1.1");
    let diversion = ("Diversion", "<sip:+40000@a>");
    let own = [("X-Ahoy-Dialled", "+666666"), ("x-ahoy-dialled", "+356 21-000.000")];

    let mut headers = vec![to];
    assert_eq!(read(&headers).dialled.as_deref(), Some("10000"));
    for (header, number) in [
        (called, "20000"),
        (history, "30000"),
        (diversion, "40000"),
        (own[0], "666666"),
        (own[1], "35621000000"),
    ] {
        headers.push(header);
        assert_eq!(read(&headers).dialled.as_deref(), Some(number));
    }
}

#[test]
fn reads_every_form_of_an_address() {
    for value in [
        "sip:+35699000001@a",
        "SIP:+35699000001@a;transport=tls",
        "<sips:+35699000001:secret@a:5061>;tag=1",
        "\"Ann, \\\"the <sip:1@b>\\\" one\" <sip:+35699000001@a>",
        "Ann <sip:%2B35699000001;tgrp=x;trunk-context=y@a;user=phone>",
        "<tel:+356-99-000-001;phone-context=a>",
        "\r\n <sip:+35699000001@a>;tag=1",
        "\"Ann\"\r\n\t<sip:+35699000001@a>\r\n ;tag=1",
        "<sip:gateway@a>, <sip:+35699000001@a>",
    ] {
        assert_eq!(read(&[("f", value)]).caller.as_deref(), Some("35699000001"), "{value}");
        assert_eq!(read(&[("FROM", value)]).caller.as_deref(), Some("35699000001"), "{value}");
    }
}

#[test]
fn a_withheld_caller_is_none() {
    for value in [
        "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1",
        "<sip:+35699000001@anonymous.INVALID>",
        "<sip:unknown@a>",
        "<sip:restricted@a>",
        "<sip:a8f3c2@a>",
        "<sip:0000000000@a>",
        "<sip:+000000@a>",
        "<sip:a>",
        "<mailto:35699000001@a>",
        "\"35699000001\" <sip:proj_x@a>",
        "<sip:+35699000001",
        "",
    ] {
        let caller = read(&[("From", value)]).caller;
        assert!(caller.is_none(), "{value}: {caller:?}");
    }
}

#[test]
fn privacy_withholds_a_caller_whom_other_headers_name() {
    let named = [
        ("P-Asserted-Identity", "<sip:+35699000001@a>"),
        ("Remote-Party-ID", "<sip:+35699000001@a>"),
        ("From", "<sip:+35699000001@a>"),
        ("X-Ahoy-Dialled", "+35621000000"),
    ];
    for asked in
        ["id", "ID", "user", "header", "full", "id;critical", "none; user ;critical", "history,id", "\r\n id"]
    {
        let parties = read(&[&named[..], &[("privacy", asked)]].concat());

        assert_eq!((parties.caller, parties.dialled.as_deref()), (None, Some("35621000000")), "{asked}");
    }
    let two = read(&[&named[..], &[("Privacy", "none"), ("Privacy", "id")]].concat());
    assert_eq!(two.caller, None);
    for asked in ["", "none", "history", "critical", "session", "idle", "userx"] {
        let caller = read(&[&named[..], &[("Privacy", asked)]].concat()).caller;

        assert_eq!(caller.as_deref(), Some("35699000001"), "{asked}");
    }
}

#[test]
fn debug_output_shows_no_header() {
    let headers = [header("X-Ahoy-Key", "planted"), header("From", "<sip:+35699000001@a>")];

    let shown = format!("{headers:?} {:?}", CallParties::read(&headers));

    assert!(
        !shown.contains("planted") && !shown.contains("35699000001") && !shown.contains("Key"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn any_headers_give_numbers_or_nothing(headers in prop::collection::vec((name(), "[\\PC\r\n\"<>@;:,\\\\]{0,60}"), 0..8)) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| header(name, value)).collect();

        let CallParties { caller, dialled, .. } = CallParties::read(&headers);

        for number in [caller, dialled].into_iter().flatten() {
            prop_assert_eq!(digits(&number), Some(number));
        }
    }

    #[test]
    fn a_number_is_found_whatever_stands_around_it(number in "[1-9][0-9]{4,14}", display in "[a-zA-Z ,<>;:@]{0,20}", parameter in "[a-z0-9.=;]{0,20}", is_tel: bool) {
        let uri = if is_tel { format!("tel:+{number};{parameter}") } else { format!("sip:+{number};{parameter}@example.net;{parameter}") };
        let value = format!("\"{display}\" <{uri}>;{parameter}");

        prop_assert_eq!(read(&[("From", &value)]).caller, Some(number));
    }
}

proptest! {
    #[test]
    fn no_header_names_a_caller_who_withholds(headers in prop::collection::vec((name(), "[\\PC]{0,40}"), 0..8), before in "[a-z;]{0,10}", after in "[a-z;]{0,10}", at in 0usize..8) {
        let mut headers: Vec<_> = headers.iter().map(|(name, value)| header(name, value)).collect();
        headers.insert(at.min(headers.len()), header("Privacy", &format!("{before};id;{after}")));
        headers.push(header("From", "<sip:+35699000001@a>"));

        prop_assert_eq!(CallParties::read(&headers).caller, None);
    }
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "From",
        "f",
        "t",
        "TO",
        "Diversion",
        "P-Asserted-Identity",
        "History-Info",
        "Privacy",
        "X-Ahoy-Dialled",
        "X-Ahoy-Key",
        "Other",
    ])
}

fn read(headers: &[(&str, &str)]) -> CallParties {
    let headers: Vec<_> = headers.iter().map(|(name, value)| header(name, value)).collect();
    CallParties::read(&headers)
}

fn header(name: &str, value: &str) -> SipHeader {
    SipHeader { name: name.to_owned(), value: value.to_owned() }
}
