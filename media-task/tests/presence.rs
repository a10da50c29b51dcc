//! Tests ICE checks against a relay like Meta's (ICE-lite, str0m) on virtual time: which checks are sent, and when
//! the connection lasts.

use bytes::Bytes;
use media_task::webrtc::offer::Offer;
use media_task::webrtc::{Peer, PeerEvent};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::config::Fingerprint;
use str0m::media::{MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, Ssrc};
use str0m::{Candidate, Event, IceCreds, Input, Output, Rtc};

const META: &str = include_str!("../../fixtures/whatsapp-sdp/live-uic-offer-2026-10-02.sdp");
const FRAME: Duration = Duration::from_millis(20);

#[test]
fn every_check_after_nomination_nominates_the_pair_again() {
    let mut call = Call::begin();
    call.run_for(Duration::from_secs(30));

    let nominated = call.checks.iter().position(|nominates| *nominates).expect("a pair is nominated");
    assert!(call.checks[nominated..].iter().all(|nominates| *nominates), "{:?}", call.checks);
    assert!(call.checks.len() - nominated > 10, "{} checks in 30 s", call.checks.len() - nominated);
}

#[test]
fn a_relay_that_sends_audio_but_answers_no_checks_is_present() {
    let mut call = Call::begin();
    call.run_for(Duration::from_secs(2));
    assert!(call.heard > 0, "it is connected");

    call.answers_checks = false;
    call.run_for(Duration::from_secs(120));
    let before = call.heard;
    call.run_for(Duration::from_secs(1));

    assert!(!call.is_closed);
    assert!(call.heard >= before + 49, "{} packets in a second", call.heard - before);
}

#[test]
fn audio_from_an_unchecked_address_never_reaches_srtp() {
    let mut call = Call::begin();
    call.run_for(Duration::from_secs(2));
    call.diverts_sound = true;
    call.run_for(Duration::from_millis(100));
    let diverted = std::mem::take(&mut call.diverted);
    assert!(diverted.len() >= 4, "{}", diverted.len());

    // The packets are genuine: an eavesdropper can send a packet again.
    for packet in &diverted {
        assert!(!call.peer.handle_datagram(packet, stranger_address(), call.now));
    }

    // If they had been decrypted, these would be replays.
    for packet in &diverted {
        assert!(call.peer.handle_datagram(packet, relay_address(), call.now));
        assert!(!call.peer.handle_datagram(packet, relay_address(), call.now), "now it is");
    }
    let report = call.peer.report();
    let sent = diverted.len() as u64;
    assert_eq!((report.unreadable, report.repeated), (sent, sent));
}

#[test]
fn an_unsigned_check_changes_no_role() {
    let mut call = Call::begin();
    call.run_for(Duration::from_secs(2));
    let mut check = vec![0, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42];
    check.extend([7; 12]);
    // ICE-CONTROLLING, with a tiebreaker that wins.
    check.extend([0x80, 0x2a, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

    assert!(!call.peer.handle_datagram(&check, stranger_address(), call.now));
    let before = call.checks.len();
    call.run_for(Duration::from_secs(10));

    assert!(call.checks.len() > before && call.checks[before..].iter().all(|nominates| *nominates));
}

#[test]
fn a_call_survives_a_flood_of_ssrcs_from_its_relays_address() {
    let mut call = Call::begin();
    // The flood comes before the caller's first packet: nothing shows yet that its SSRC is genuine.
    call.diverts_sound = true;
    call.run_for(Duration::from_secs(2));
    assert!(call.heard == 0 && !call.diverted.is_empty(), "it is connected");
    let mut packet = vec![0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0];
    packet.resize(60, 7);
    for ssrc in 0..10_000_u32 {
        packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
        assert!(!call.peer.handle_datagram(&packet, relay_address(), call.now));
    }

    call.diverts_sound = false;
    call.run_for(Duration::from_secs(1));

    assert!(call.heard >= 49, "{} packets in a second", call.heard);
    assert!(call.peer.report().unreadable >= 10_000);
}

/// A call in which caller and agent send a packet every 20 ms.
struct Call {
    relay: Rtc,
    peer: Peer,
    now: Instant,
    next_frame: Option<Instant>,
    sent: u64,
    heard: u64,
    is_closed: bool,
    answers_checks: bool,
    /// Whether the relay's audio packets are kept instead of delivered.
    diverts_sound: bool,
    diverted: Vec<Vec<u8>>,
    /// Whether each check that was sent has USE-CANDIDATE.
    checks: Vec<bool>,
}

impl Call {
    fn begin() -> Self {
        let now = Instant::now();
        let mut relay = Rtc::builder()
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .clear_codecs()
            .enable_opus(true, false)
            .build(now);
        relay.add_local_candidate(Candidate::host(relay_address(), Protocol::Udp).expect("a host candidate"));
        let mut api = relay.direct_api();
        api.set_ice_controlling(false);
        api.set_local_ice_credentials(credentials(META));
        api.declare_media(mid(), MediaKind::Audio);
        api.declare_stream_tx(ssrc(META), None, mid(), None);
        let digest = api.local_dtls_fingerprint().to_string();
        let offer = META.replace(&format!("sha-256 {}", value(META, "fingerprint:sha-256 ")), &digest);
        let offer = Offer::read(&offer).expect("it is Meta's");
        let (peer, answer) = Peer::answer(&offer, agent_address(), now).expect("it can be answered");
        api.set_remote_ice_credentials(credentials(&answer));
        let digest = value(&answer, "fingerprint:sha-256 ");
        let bytes = digest.split(':').map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect();
        api.set_remote_fingerprint(Fingerprint { hash_func: "sha-256".to_owned(), bytes });
        api.start_dtls(false).expect("once");
        api.expect_stream_rx(ssrc(&answer), None, mid(), None);
        Self {
            relay,
            peer,
            now,
            next_frame: None,
            sent: 0,
            heard: 0,
            is_closed: false,
            answers_checks: true,
            diverts_sound: false,
            diverted: vec![],
            checks: vec![],
        }
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            let due = self.settle();
            let next = self.next_frame.map_or(due, |at| due.min(at));
            self.now = next.clamp(self.now, end);
            self.relay.handle_input(Input::Timeout(self.now)).expect("time passes");
            self.peer.handle_timeout(self.now);
            if self.next_frame.is_some_and(|at| at <= self.now) {
                self.speak();
            }
        }
    }

    /// Delivers everything that both sides have to send, and returns when the next timeout is due.
    fn settle(&mut self) -> Instant {
        loop {
            let mut is_quiet = true;
            while let Some(event) = self.peer.poll_event(self.now) {
                match event {
                    PeerEvent::Connected => self.peer.open(),
                    PeerEvent::Closed => self.is_closed = true,
                    PeerEvent::Audio { .. } => self.heard += 1,
                    PeerEvent::Dtmf { .. } | PeerEvent::Foreign { .. } | PeerEvent::RtcpReport => {}
                }
            }
            while let Some((to, datagram)) = self.peer.poll_datagram() {
                assert_eq!(to, relay_address());
                is_quiet = false;
                self.deliver(&datagram);
            }
            let due = loop {
                match self.relay.poll_output().expect("the relay works") {
                    Output::Timeout(at) => break at,
                    Output::Event(Event::Connected) => self.next_frame = Some(self.now),
                    Output::Event(_) => {}
                    Output::Transmit(transmit) => {
                        is_quiet = false;
                        let is_sound = matches!(&transmit.contents[..], [0x80..=0xbf, 0..=191, ..]);
                        if is_sound && self.diverts_sound {
                            self.diverted.push(transmit.contents.to_vec());
                            continue;
                        }
                        self.peer.handle_datagram(&transmit.contents, relay_address(), self.now);
                    }
                }
            };
            // At least a millisecond later: a timer that was due has just run.
            let soon = self.now + Duration::from_millis(1);
            if is_quiet {
                let peers = self.peer.poll_timeout().unwrap_or(due).min(due);
                return peers.max(soon);
            }
        }
    }

    fn deliver(&mut self, datagram: &[u8]) {
        let is_check = datagram.starts_with(&[0, 1]);
        if is_check {
            self.checks.push(nominates(datagram));
        }
        if is_check && !self.answers_checks {
            return;
        }
        let received =
            Receive::new(Protocol::Udp, agent_address(), relay_address(), datagram).expect("it can be read");
        self.relay.handle_input(Input::Receive(self.now, received)).expect("the relay takes it");
    }

    fn speak(&mut self) {
        self.next_frame = Some(self.now + FRAME);
        self.sent += 1;
        let timestamp = self.sent as u32 * 960;
        let packet =
            RtpWrite::new(Pt::from(111), self.sent.into(), timestamp, self.now, vec![0xf8, 0xff, 0xfe]);
        let mut api = self.relay.direct_api();
        api.stream_tx(&ssrc(META)).expect("it was declared").write_rtp(packet);
        self.relay.handle_input(Input::Timeout(self.now)).expect("it is sent");
        self.peer.send(Bytes::from_static(&[0xf8, 0xff, 0xfe]), false, self.now);
    }
}

/// Whether a STUN message has USE-CANDIDATE (0x0025).
fn nominates(message: &[u8]) -> bool {
    let mut attributes = &message[20..];
    while let Some(([kind_high, kind_low, high, low], rest)) = attributes.split_first_chunk::<4>() {
        if [*kind_high, *kind_low] == [0, 0x25] {
            return true;
        }
        let length = usize::from(u16::from_be_bytes([*high, *low])).next_multiple_of(4);
        attributes = rest.get(length..).unwrap_or_default();
    }
    false
}

fn relay_address() -> SocketAddr {
    ([127, 0, 0, 1], 3_480).into()
}

fn stranger_address() -> SocketAddr {
    ([127, 0, 0, 2], 3_480).into()
}

fn agent_address() -> SocketAddr {
    ([127, 0, 0, 1], 42_100).into()
}

fn mid() -> Mid {
    Mid::from("aud")
}

fn credentials(sdp: &str) -> IceCreds {
    IceCreds { ufrag: value(sdp, "ice-ufrag:").to_owned(), pass: value(sdp, "ice-pwd:").to_owned() }
}

fn ssrc(sdp: &str) -> Ssrc {
    let number = value(sdp, "ssrc:").split(' ').next().expect("a number");
    Ssrc::from(number.parse::<u32>().expect("a number"))
}

fn value<'a>(sdp: &'a str, name: &str) -> &'a str {
    let found = sdp.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name));
    found.expect("it has one")
}
