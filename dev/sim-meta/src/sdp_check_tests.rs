//! The answers Meta took and refused, and one flaw at a time.

use super::*;
use crate::offer::{Form, Offer, OfferVariant};
use fastrand::Rng;

const ACCEPTED: &str =
    include_str!("../../../fixtures/whatsapp-sdp/live-uic-answer-2025-10-17-accepted-by-graph.sdp");
const REFUSED: &str =
    include_str!("../../../fixtures/whatsapp-sdp/live-uic-answer-2026-08-27-rejected-138008.sdp");
const DOCUMENTED: &str = include_str!("../../../fixtures/whatsapp-sdp/metadocs-uic-answer.sdp");

#[test]
fn takes_the_answer_graph_took() {
    let answer = check(ACCEPTED, &offer(false)).expect("Graph took it");

    assert_eq!((answer.ufrag.as_str(), answer.pwd.as_str()), ("TJvS", "KTrAGZGgLLknVI4GLfjXFp"));
    assert_eq!((answer.fingerprint[0], answer.fingerprint[31]), (0x5c, 0xce));
    assert_eq!(answer.ssrc, Some(871_350_736));
}

#[test]
fn refuses_the_answer_graph_refused() {
    assert_eq!(check(REFUSED, &offer(false)), Err(SdpFlaw::Count("fingerprint", 3)));
}

#[test]
fn takes_the_documented_answer_to_the_older_offer_only() {
    assert!(check(DOCUMENTED, &offer(true)).is_ok());
    assert!(matches!(check(DOCUMENTED, &offer(false)), Err(SdpFlaw::ExtensionNotOffered(_))));
}

#[test]
fn refuses_lines_that_do_not_end_with_crlf() {
    assert_eq!(flaw_after("\r\n", "\n"), SdpFlaw::LineEnds);
    assert_eq!(check(ACCEPTED.trim_end(), &offer(false)), Err(SdpFlaw::LineEnds));
    assert_eq!(flaw_after("s=-\r\n", "s=-\n"), SdpFlaw::LineEnds);
}

#[test]
fn refuses_ten_kilobytes() {
    let sdp = ACCEPTED.to_owned() + &"a=x\r\n".repeat(2_000);

    assert!(matches!(check(&sdp, &offer(false)), Err(SdpFlaw::TooLarge(_))));
}

#[test]
fn refuses_every_other_role_in_dtls() {
    assert_eq!(flaw_after("setup:active", "setup:passive"), SdpFlaw::Value("setup", "active".to_owned()));
    assert_eq!(flaw_after("setup:active", "setup:actpass"), SdpFlaw::Value("setup", "active".to_owned()));
    assert_eq!(flaw_after("a=setup:active\r\n", ""), SdpFlaw::Count("setup", 0));
}

#[test]
fn an_offer_that_starts_dtls_wants_a_passive_answer() {
    let offer = offer_with(Form { variants: vec![OfferVariant::SetupActive], ..Form::default() });

    assert_eq!(check(ACCEPTED, &offer), Err(SdpFlaw::Value("setup", "passive".to_owned())));
    assert!(check(&ACCEPTED.replace("setup:active", "setup:passive"), &offer).is_ok());
}

#[test]
fn a_bundle_only_section_has_the_transport_of_its_bundle() {
    let form = Form { variants: vec![OfferVariant::BundleOnly], ..Form::default() };
    let (plain, bundled) = (offer(false), offer_with(form));

    assert_eq!((&bundled.ufrag, &bundled.fingerprint), (&plain.ufrag, &plain.fingerprint));
    assert_eq!((bundled.audio, bundled.is_bundled), (1, true));
}

#[test]
fn refuses_a_second_ice_lite_side() {
    assert_eq!(flaw_after("a=rtcp-mux", "a=ice-lite\r\na=rtcp-mux"), SdpFlaw::IceLite);
}

#[test]
fn refuses_another_media_section() {
    assert_eq!(flaw_after("a=mid:audio", "a=mid:0"), SdpFlaw::Value("mid", "audio".to_owned()));
    assert_eq!(flaw_after("BUNDLE audio", "BUNDLE 0"), SdpFlaw::Value("group", "BUNDLE audio".to_owned()));
    assert_eq!(flaw_after("a=sendrecv", "m=video 9 UDP/TLS/RTP/SAVPF 96"), SdpFlaw::MediaLines(2));
    assert!(matches!(flaw_after("UDP/TLS/RTP/SAVPF", "RTP/AVP"), SdpFlaw::MediaLine(_)));
}

#[test]
fn refuses_codecs_that_were_not_offered() {
    assert_eq!(flaw_after("SAVPF 111", "SAVPF 111 0"), SdpFlaw::PayloadTypeNotOffered("0".to_owned()));
    assert_eq!(flaw_after("SAVPF 111", "SAVPF 126"), SdpFlaw::NoOpus("111".to_owned()));
    assert_eq!(flaw_after("a=rtpmap:111 opus/48000/2\r\n", ""), SdpFlaw::NoOpus("111".to_owned()));
}

#[test]
fn refuses_one_way_sound_and_separate_rtcp() {
    assert_eq!(flaw_after("a=sendrecv", "a=recvonly"), SdpFlaw::Direction);
    assert_eq!(flaw_after("a=rtcp-mux\r\n", ""), SdpFlaw::Count("rtcp-mux", 0));
}

#[test]
fn refuses_credentials_that_are_missing_short_or_the_offers() {
    let theirs = format!("a=ice-ufrag:{}", offer(false).ufrag);
    assert_eq!(flaw_after("a=ice-ufrag:TJvS\r\n", ""), SdpFlaw::Count("ice-ufrag", 0));
    assert_eq!(flaw_after("a=ice-ufrag:TJvS", "a=ice-ufrag:TJv"), SdpFlaw::TooShort("ice-ufrag"));
    assert_eq!(flaw_after("a=ice-ufrag:TJvS", &theirs), SdpFlaw::Copied("ice-ufrag"));
    assert_eq!(flaw_after("KTrAGZGgLLknVI4GLfjXFp", "short"), SdpFlaw::TooShort("ice-pwd"));
}

#[test]
fn refuses_fingerprints_of_another_hash_length_or_owner() {
    let ours =
        "5C:8E:0A:DD:2B:2B:5E:AC:6C:13:71:2E:C8:E4:0A:B5:F5:2C:7D:D7:38:97:0A:B2:4F:F5:14:8E:4A:10:22:CE";
    assert_eq!(flaw_after("SHA-256", "sha-1"), SdpFlaw::FingerprintHash);
    assert_eq!(flaw_after("5C:8E:0A:DD:", ""), SdpFlaw::FingerprintBytes);
    assert_eq!(flaw_after(ours, &offer(false).fingerprint), SdpFlaw::Copied("fingerprint"));
}

#[test]
fn other_sections_must_be_there_in_order_and_refused() {
    let refusal = "m=video 0 UDP/TLS/RTP/SAVPF 97\r\nc=IN IP4 0.0.0.0\r\na=mid:video\r\na=inactive\r\n";
    let after = offer_with(Form { variants: vec![OfferVariant::Video], ..Form::default() });
    let before = offer_with(Form { variants: vec![OfferVariant::VideoFirst], ..Form::default() });
    let (last, first) =
        (format!("{ACCEPTED}{refusal}"), ACCEPTED.replace("m=audio", &format!("{refusal}m=audio")));

    assert!(check(&last, &after).is_ok() && check(&first, &before).is_ok());
    assert_eq!(check(ACCEPTED, &after), Err(SdpFlaw::MediaLines(1)));
    assert!(matches!(check(&first, &after), Err(SdpFlaw::NotRefused(_) | SdpFlaw::MediaLine(_))));
    for (from, to) in [("video 0", "video 9"), ("SAVPF 97", "SAVP 97"), ("SAVPF 97", "SAVPF 98"), (" 97", "")]
    {
        let flawed = last.replace(refusal, &refusal.replace(from, to));
        assert!(matches!(check(&flawed, &after), Err(SdpFlaw::NotRefused(_))), "{from} → {to}");
    }
    let renamed = last.replace("a=mid:video", "a=mid:v");
    assert_eq!(check(&renamed, &after), Err(SdpFlaw::Value("mid", "video".to_owned())));
    let bundled = last.replace("BUNDLE audio", "BUNDLE audio video");
    assert_eq!(check(&bundled, &after), Err(SdpFlaw::Value("group", "BUNDLE audio".to_owned())));
}

#[test]
fn names_groups_and_profiles_are_mirrored() {
    let offered = |variant| offer_with(Form { variants: vec![variant], ..Form::default() });
    let (no_mid, no_bundle, savp) =
        (offered(OfferVariant::NoMid), offered(OfferVariant::NoBundle), offered(OfferVariant::Savp));
    let ungrouped = ACCEPTED.replace("a=group:BUNDLE audio\r\n", "");
    let unnamed = ungrouped.replace("a=mid:audio\r\n", "");

    assert_eq!(check(ACCEPTED, &no_mid), Err(SdpFlaw::NotOffered("mid")));
    assert_eq!(check(ACCEPTED, &no_bundle), Err(SdpFlaw::NotOffered("group")));
    assert!(check(&unnamed, &no_mid).is_ok() && check(&ungrouped, &no_bundle).is_ok());
    assert!(matches!(check(ACCEPTED, &savp), Err(SdpFlaw::MediaLine(_))));
    assert!(check(&ACCEPTED.replace("SAVPF", "SAVP"), &savp).is_ok());
}

#[test]
fn keys_are_agreed_on_as_they_were_offered() {
    let offer = offer_with(Form { variants: vec![OfferVariant::Keys48k], ..Form::default() });
    let both = "SAVPF 111 110 126\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000";
    let answer = ACCEPTED.replace("SAVPF 111", both);

    assert_eq!(check(&answer, &offer).map(|answer| answer.keys), Ok(vec![(110, 48_000), (126, 8_000)]));
    let wrong = answer.replace("telephone-event/48000", "telephone-event/8000");
    assert_eq!(check(&wrong, &offer), Err(SdpFlaw::PayloadTypeNotOffered("110".to_owned())));
}

fn flaw_after(from: &str, to: &str) -> SdpFlaw {
    let sdp = ACCEPTED.replace(from, to);
    assert_ne!(sdp, ACCEPTED, "the change changes something");
    check(&sdp, &offer(false)).expect_err("a flawed answer")
}

fn offer(old: bool) -> Offered {
    offer_with(Form { old, both_families: true, ..Form::default() })
}

fn offer_with(form: Form) -> Offered {
    let fingerprint = vec!["AB"; 32].join(":");
    let offer = Offer::fresh(([127, 0, 0, 1], 3480).into(), fingerprint, 1, form, &mut Rng::with_seed(5));
    Offered::read(&offer.sdp()).expect("our own offers can be read")
}
