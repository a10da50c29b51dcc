//! For every offer WhatsApp is known to make, our answer is in the form WhatsApp is known to take.

use media_task::offer::{Offer, Unanswerable};
use media_task::peer::Peer;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

#[test]
fn every_known_offer_gets_an_answer_in_the_form_whatsapp_takes() {
    let offers = fixtures("uic-offer");
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
fn an_offer_that_nobody_can_answer_says_why() {
    let good = fixtures("live-uic-offer-2026-10-02").remove(0).1;
    let refused = |offer: &str| Offer::read(offer).expect_err("nobody can answer this").to_string();

    assert_eq!(refused("hello"), "the offer is not SDP");
    assert_eq!(refused(&"v=0\r\n".repeat(3_000)), Unanswerable::TooLarge.to_string());
    assert_eq!(refused(&good.replace("opus/48000/2", "speex/16000")), "the offer has no Opus");
    assert_eq!(refused(&good.replace("a=ice-pwd:", "a=x-pwd:")), "the offer has no ice-pwd");
    assert_eq!(
        refused(&good.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP")),
        "the offer is for audio over RTP/AVP, not for audio over UDP/TLS/RTP/SAVPF"
    );
    let two = format!("{good}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n");
    assert_eq!(refused(&two), "the offer has 2 media sections, not one");
}

fn answer(offer: &str) -> String {
    let offer = Offer::read(offer).expect("WhatsApp made this offer");
    let address: SocketAddr = "127.0.0.1:42100".parse().expect("it is an address");
    Peer::answer(&offer, address, Instant::now()).expect("WhatsApp's offers can be answered").1
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

fn fixtures(kind: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/whatsapp-sdp");
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
