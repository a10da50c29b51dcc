//! Checks our SDP answers to every offer that WhatsApp is known to make, and to offers of other WebRTC stacks.

use media_task::webrtc::Peer;
use media_task::webrtc::offer::{Offer, Unanswerable};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

#[test]
fn every_whatsapp_offer_gets_an_answer_that_whatsapp_accepts() {
    let offers = fixtures("whatsapp-sdp", "uic-offer");
    assert_eq!(offers.len(), 4);
    for (name, offer) in offers {
        let answer = answer(&offer);

        let lines: Vec<&str> = answer.split("\r\n").collect();
        assert_eq!(lines.last(), Some(&""), "{name}: CRLF at every end");
        assert!(!answer.replace("\r\n", "").contains(['\r', '\n']), "{name}: nothing but CRLF");
        assert!(answer.len() < 10_000);
        one(&lines, "m=audio 42100 UDP/TLS/RTP/SAVPF 111 126");
        one(&lines, "a=setup:active");
        one(&lines, "a=mid:audio");
        one(&lines, "a=group:BUNDLE audio");
        one(&lines, "a=sendrecv");
        one(&lines, "a=rtcp-mux");
        one(&lines, "a=rtpmap:111 opus/48000/2");
        one(&lines, "a=rtpmap:126 telephone-event/8000");
        one(&lines, "a=candidate:1 1 udp 2130706431 127.0.0.1 42100 typ host generation 0");
        one(&lines, "a=end-of-candidates");
        assert_eq!(starting(&lines, "m="), 1, "{name}: one section");
        assert_eq!(starting(&lines, "a=fingerprint:"), 1, "{name}: one fingerprint");
        assert_eq!(starting(&lines, "a=fingerprint:sha-256 "), 1, "{name}: and it is SHA-256");
        for absent in ["a=ice-lite", "a=ice-options", "a=extmap", "a=rtcp-rsize"] {
            assert_eq!(starting(&lines, absent), 0, "{name}: {absent} was not offered, or is wrong");
        }
        for copied in ["a=fmtp:111 ", "a=rtcp-fb:111 ", "a=ptime:", "a=maxptime:"] {
            assert_eq!(value(&answer, copied), value(&offer, copied), "{name}: {copied}");
        }
        for fresh in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:sha-256 "] {
            assert!(value(&answer, fresh).is_some_and(|value| !value.is_empty()), "{name}: {fresh}");
            assert_ne!(value(&answer, fresh), value(&offer, fresh), "{name}: {fresh} is ours");
        }
        assert_eq!(value(&answer, "a=fingerprint:sha-256 ").map(str::len), Some(95), "{name}");
    }
}

#[test]
fn other_stacks_offers_keep_their_payload_types_and_mids() {
    let offers = fixtures("sdp", "-offer-ipv");
    assert_eq!(offers.len(), 4);
    for (name, offer) in offers {
        let address = if name.contains("ipv4") { "127.0.0.1:42100" } else { "[::1]:42100" };
        let answer = answer_at(&offer, address);

        let lines: Vec<&str> = answer.split("\r\n").collect();
        let (media, family) = match (name.starts_with("aiortc"), name.contains("ipv4")) {
            (true, true) => ("96", "IP4 127.0.0.1"),
            (true, false) => ("96", "IP6 ::1"),
            (false, true) => ("111 110 126", "IP4 127.0.0.1"),
            (false, false) => ("111 110 126", "IP6 ::1"),
        };
        one(&lines, &format!("m=audio 42100 UDP/TLS/RTP/SAVPF {media}"));
        one(&lines, &format!("c=IN {family}"));
        one(&lines, "a=mid:0");
        one(&lines, "a=group:BUNDLE 0");
        one(&lines, "a=setup:active");
        assert_eq!(starting(&lines, "a=fingerprint:"), 1, "{name}: one, however many were offered");
        assert_eq!(starting(&lines, "a=candidate:"), 1, "{name}");
        for absent in ["a=extmap", "a=ice-options", "a=ice-lite", "a=rtcp-rsize", "a=rtcp-xr", "a=rtpmap:63"]
        {
            assert_eq!(starting(&lines, absent), 0, "{name}: {absent}");
        }
    }
}

#[test]
fn candidates_that_our_socket_cannot_reach_are_left_out() {
    let chromium = fixtures("sdp", "chromium-156-offer-ipv4").remove(0).1;
    let hidden =
        "a=candidate:1 1 udp 2122260223 0f3a9c1e-7d52-4a68-9b1f-2c7e5d80a4b6.local 51000 typ host\r\n";
    let other = "a=candidate:2 1 udp 2122262783 ::1 51000 typ host\r\n";
    let offer = chromium.replace("a=ice-ufrag:", &format!("{hidden}{other}a=ice-ufrag:"));

    let kept = Offer::read(&offer).expect("it is an offer").for_family_of([127, 0, 0, 1].into());

    let candidates: Vec<&str> = kept.lines().filter(|line| line.starts_with("a=candidate:")).collect();
    assert_eq!(candidates.len(), 1, "{candidates:?}");
    assert!(candidates[0].contains(" udp ") && candidates[0].contains(" 127.0.0.1 "), "{candidates:?}");
}

#[test]
fn an_unanswerable_offer_says_why() {
    let good = fixtures("whatsapp-sdp", "live-uic-offer-2026-10-02").remove(0).1;
    let refused = |offer: &str| Offer::read(offer).expect_err("it is unanswerable").to_string();

    assert_eq!(refused("hello"), "the offer is not SDP");
    assert_eq!(refused(&"v=0\r\n".repeat(14_000)), Unanswerable::TooLarge.to_string());
    assert_eq!(refused(&good.replace("opus/48000/2", "speex/16000")), "the offer has no Opus");
    assert_eq!(refused(&good.replace("a=ice-pwd:", "a=x-pwd:")), "the offer has no ice-pwd");
    assert_eq!(
        refused(&good.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP")),
        "the offer is for audio over RTP/AVP, not for audio over UDP/TLS/RTP/SAVPF"
    );
    let digest = "a=fingerprint:sha-256 ";
    assert_eq!(
        refused(&good.replace(digest, "a=fingerprint:sha-512 ")),
        "the offer has no fingerprint of SHA-256"
    );
    let silent = good.replace("m=audio", "m=video");
    assert_eq!(refused(&silent), "none of the offer's 1 media sections is for audio");
}

fn answer(offer: &str) -> String {
    answer_at(offer, "127.0.0.1:42100")
}

fn answer_at(offer: &str, address: &str) -> String {
    let offer = Offer::read(offer).expect("a real phone made this offer");
    let address: SocketAddr = address.parse().expect("it is an address");
    Peer::answer(&offer, address, Instant::now()).expect("real offers can be answered").1
}

fn one(lines: &[&str], wanted: &str) {
    assert_eq!(lines.iter().filter(|line| **line == wanted).count(), 1, "{wanted} in {lines:#?}");
}

fn starting(lines: &[&str], prefix: &str) -> usize {
    lines.iter().filter(|line| line.starts_with(prefix)).count()
}

fn value<'a>(sdp: &'a str, prefix: &str) -> Option<&'a str> {
    sdp.lines().find_map(|line| line.strip_prefix(prefix))
}

fn fixtures(folder: &str, kind: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(folder);
    let files = std::fs::read_dir(folder).expect("the fixtures are there").flatten();
    let mut found: Vec<_> = files
        .filter(|file| file.file_name().to_string_lossy().contains(kind))
        .map(|file| {
            let name = file.file_name().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(file.path()).expect("a fixture is text"))
        })
        .collect();
    found.sort();
    found
}
