//! Checks answers to offers that Meta does not make yet (`fixtures/sdp-variants`, and others like them) against RFC 3264: the
//! offer's sections in their order, one of them answered and the others refused.

use media_task::webrtc::Peer;
use media_task::webrtc::offer::Offer;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

const META: &str = include_str!("../../fixtures/whatsapp-sdp/live-uic-offer-2026-10-02.sdp");
const VIDEO: &str = "m=video 3480 UDP/TLS/RTP/SAVPF 97 98\r\nc=IN IP4 0.0.0.0\r\na=mid:v\r\na=sendrecv\r\na=rtcp-mux\r\n\
    a=ice-ufrag:another\r\na=ice-pwd:anotheranotheranother==\r\na=rtpmap:97 H264/90000\r\n";

#[test]
fn every_offer_variant_is_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/sdp-variants");
    let mut answered = 0;
    for file in std::fs::read_dir(folder).expect("the variants are there") {
        let path = file.expect("the folder can be read").path();
        let offer = std::fs::read_to_string(&path).expect("an offer is text");
        let name = path.display();

        let answer = answer(&offer);

        assert_eq!(media(&answer).len(), media(&offer).len(), "{name}");
        let expected = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("dtmf-48k-too") => "m=audio 42100 UDP/TLS/RTP/SAVPF 111 110 126",
            _ => "m=audio 42100 UDP/TLS/RTP/SAVPF 111 126",
        };
        assert_eq!(media(&answer)[0], expected, "{name}");
        assert_eq!(count(&answer, "a=fingerprint:"), 1, "{name}");
        answered += 1;
    }
    assert!(answered >= 4, "{answered} offers");
}

#[test]
fn other_sections_are_refused_in_place() {
    let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n";
    let fax = "m=image 4000 udptl t38\r\n";
    let offer =
        META.replace("BUNDLE audio", "BUNDLE v audio d").replace("m=audio", &format!("{VIDEO}m=audio"));

    let answer = answer(&format!("{offer}{data}{fax}"));

    assert_eq!(
        media(&answer),
        [
            "m=video 0 UDP/TLS/RTP/SAVPF 97 98",
            "m=audio 42100 UDP/TLS/RTP/SAVPF 111 126",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
            "m=image 0 udptl t38"
        ]
    );
    assert!(answer.contains("\r\na=group:BUNDLE audio\r\n"), "{answer}");
    let named: Vec<&str> = answer.lines().filter(|line| line.starts_with("a=mid:")).collect();
    assert_eq!(named, ["a=mid:v", "a=mid:audio", "a=mid:d"]);
    assert_eq!(count(&answer, "a=ice-ufrag:"), 1);
}

#[test]
fn the_first_usable_audio_section_is_answered() {
    let plain = "m=audio 5000 RTP/AVP 0\r\na=mid:a0\r\n";
    let disabled = "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:a1\r\n";
    let offer = META.replace("m=audio", &format!("{plain}{disabled}m=audio"));

    assert_eq!(
        media(&answer(&offer)),
        ["m=audio 0 RTP/AVP 0", "m=audio 0 UDP/TLS/RTP/SAVPF 111", "m=audio 42100 UDP/TLS/RTP/SAVPF 111 126"]
    );
}

#[test]
fn a_profile_without_feedback_gets_no_feedback() {
    for profile in ["UDP/TLS/RTP/SAVP", "RTP/SAVP"] {
        let answer = answer(&META.replace("UDP/TLS/RTP/SAVPF", profile));

        assert_eq!(media(&answer), [format!("m=audio 42100 {profile} 111 126")]);
        assert_eq!(count(&answer, "a=rtcp-fb:"), 0);
    }
    let answer = answer(&META.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"));
    assert_eq!((media(&answer)[0], count(&answer, "a=rtcp-fb:")), ("m=audio 42100 RTP/SAVPF 111 126", 1));
}

#[test]
fn mid_bundle_and_rtcp_mux_are_answered_only_if_offered() {
    let without = |line: &str| answer(&META.replace(line, ""));

    let unnamed = answer(&META.replace("a=mid:audio\r\n", "").replace("a=group:BUNDLE audio\r\n", ""));
    assert_eq!((count(&unnamed, "a=mid:"), count(&unnamed, "a=group:")), (0, 0));
    let ungrouped = without("a=group:BUNDLE audio\r\n");
    assert_eq!((count(&ungrouped, "a=mid:audio"), count(&ungrouped, "a=group:")), (1, 0));
    let elsewhere = answer(&META.replace("BUNDLE audio", "BUNDLE v"));
    assert_eq!(count(&elsewhere, "a=group:"), 0);
    assert_eq!(count(&without("a=rtcp-mux\r\n"), "a=rtcp-mux"), 0);
}

#[test]
fn session_attributes_apply_to_sections() {
    let lines: Vec<&str> = META.lines().filter(|line| is_of_transport(line)).collect();
    let moved = lines.join("\r\n");
    let rest: Vec<&str> = META.lines().filter(|line| !is_of_transport(line)).collect();
    let offer = rest.join("\r\n").replace("m=audio", &format!("{moved}\r\nm=audio")) + "\r\n";

    assert_eq!(media(&answer(&offer)), ["m=audio 42100 UDP/TLS/RTP/SAVPF 111 126"]);
}

#[test]
fn audio_without_a_transport_uses_that_of_its_bundle() {
    let bundled = META.replace("BUNDLE audio", "BUNDLE v audio");
    let plain =
        |offer: &str| Offer::read(offer).expect("it is an offer").for_family_of([127, 0, 0, 1].into());
    let transport = |sdp: &str| {
        let mut lines: Vec<String> = sdp
            .lines()
            .filter(|line| TRANSPORT.iter().any(|name| line.starts_with(name)))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    for moved in [&TRANSPORT[..], &["a=candidate:"]] {
        let is_moved = |line: &&str| moved.iter().any(|name| line.starts_with(name));
        let is_copied = |line: &&str| TRANSPORT.iter().any(|name| line.starts_with(name));
        let carried: Vec<&str> = META.lines().filter(is_copied).collect();
        let rest: Vec<&str> = bundled.lines().filter(|line| !is_moved(line)).collect();
        let video = format!("m=video 3480 UDP/TLS/RTP/SAVPF 97\r\na=mid:v\r\n{}\r\n", carried.join("\r\n"));
        let other = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=ice-ufrag:another\r\n\
                     a=ice-pwd:anotheranotheranother==\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n";
        let rest = rest.join("\r\n") + "\r\n";
        let before = rest.replace("m=audio", &format!("{other}{video}m=audio"));
        let only = before
            .replace("m=audio 3480", "m=audio 0")
            .replace("a=mid:audio", "a=mid:audio\r\na=bundle-only");
        for offer in [&before, &only, &format!("{rest}{video}")] {
            assert_eq!(transport(&plain(offer)), transport(&plain(META)), "{offer}");
            assert!(answer(offer).contains("\r\nm=audio 42100 "));
        }
        // Sections outside the group have transports of their own.
        let apart = before.replace("BUNDLE v audio", "BUNDLE v d\r\na=group:BUNDLE audio");
        match Offer::read(&apart) {
            Ok(offer) => assert!(offer.relays().is_empty(), "{:?}", offer.relays()),
            Err(refused) => assert_eq!(refused.to_string(), "the offer has no ice-ufrag"),
        }
    }
}

#[test]
fn the_answer_takes_the_remaining_dtls_role() {
    for (offered, answered) in [("actpass", "active"), ("passive", "active"), ("active", "passive")] {
        let answer = answer(&META.replace("setup:actpass", &format!("setup:{offered}")));

        assert_eq!(count(&answer, &format!("a=setup:{answered}")), 1, "{offered}: {answer}");
    }
    let refused = Offer::read(&META.replace("setup:actpass", "setup:holdconn")).expect_err("no role is left");
    assert_eq!(refused.to_string(), "the offer's setup is neither actpass, active nor passive");
}

#[test]
fn an_offer_may_be_larger_than_an_answer() {
    let long =
        META.replace("a=rtcp-mux", &format!("{}a=rtcp-mux", "a=x-note:of another make\r\n".repeat(1_500)));

    assert!(long.len() > 30_000);
    assert_eq!(media(&answer(&long)), media(&answer(META)));
}

#[test]
fn the_sha_256_fingerprint_is_used_wherever_it_stands() {
    let digest =
        META.lines().find_map(|line| line.strip_prefix("a=fingerprint:sha-256 ")).expect("it has one");
    let other = format!("a=fingerprint:sha-512 {}\r\na=fingerprint:", vec!["AB"; 64].join(":"));
    for offer in [
        META.replace("a=fingerprint:", &other),
        META.replace("a=fingerprint:sha-256", "a=fingerprint:SHA-256"),
    ] {
        let plain = Offer::read(&offer).expect("it is an offer").for_family_of([127, 0, 0, 1].into());

        assert_eq!(count(&plain, "a=fingerprint:"), 1, "{plain}");
        assert!(plain.contains(&format!("\r\na=fingerprint:sha-256 {digest}\r\n")), "{plain}");
        answer(&offer);
    }
}

#[test]
fn payload_types_follow_the_order_of_the_m_line() {
    let two = META
        .replace("SAVPF 111 126", "SAVPF 109 111 126")
        .replace("a=rtpmap:111", "a=rtpmap:96 opus/48000/2\r\na=rtpmap:109 OPUS/48000/2\r\na=rtpmap:111");

    assert_eq!(media(&answer(&two)), ["m=audio 42100 UDP/TLS/RTP/SAVPF 109 126"]);
}

#[test]
fn a_direction_is_answered_with_its_counterpart() {
    for (offered, answered) in [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")]
    {
        let answer = answer(&META.replace("a=sendrecv", &format!("a={offered}")));

        assert!(answer.contains(&format!("\r\na={answered}\r\n")), "{answer}");
    }
}

fn is_of_transport(line: &str) -> bool {
    ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"].iter().any(|name| line.starts_with(name))
}

const TRANSPORT: [&str; 5] = ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:", "a=candidate:"];

fn answer(offer: &str) -> String {
    let offer = Offer::read(offer).expect("it can be answered");
    let address = SocketAddr::from(([127, 0, 0, 1], 42_100));
    Peer::answer(&offer, address, Instant::now()).expect("the stack takes it").1
}

fn media(sdp: &str) -> Vec<&str> {
    sdp.lines().filter(|line| line.starts_with("m=")).collect()
}

fn count(sdp: &str, prefix: &str) -> usize {
    sdp.lines().filter(|line| line.starts_with(prefix)).count()
}
