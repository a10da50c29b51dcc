//! Answers any text as an SDP offer.

use media_task::webrtc::Peer;
use media_task::webrtc::offer::Offer;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

pub(crate) fn run(data: &[u8]) {
    let sdp = String::from_utf8_lossy(data);
    let Ok(offer) = Offer::read(&sdp) else {
        return;
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 42_100));
    let Ok((_peer, answer)) = Peer::answer(&offer, address, Instant::now()) else {
        return;
    };
    assert!(answer.ends_with("\r\n"));
    assert!(!answer.replace("\r\n", "").contains(['\r', '\n']), "nothing but CRLF: {answer:?}");
    let sections = |sdp: &str| sdp.lines().filter(|line| line.starts_with("m=")).count();
    assert_eq!(sections(&answer), sections(&sdp), "as many sections as in the offer: {answer:?}");
    assert_eq!(answer.matches("\r\na=fingerprint:sha-256 ").count(), 1, "one fingerprint: {answer:?}");
    assert_eq!(answer.matches("\r\na=setup:").count(), 1, "one side of DTLS: {answer:?}");
}
