//! Decides which datagrams reach the WebRTC stack. Any host can send any datagram to a call's port.
//!
//! - STUN, if it is signed with the password of the side it is sent to: the stack sees to role conflicts before it looks.
//! - Everything else, if it comes from an address that passed an ICE check: one that answered a check of ours, or sent one.
//!   The stack hands it to DTLS and SRTP from wherever it comes.
//! - SRTCP, if it says that it is encrypted: the stack takes what says otherwise without looking at its tag.
//! - SRTP and SRTCP of the offer's SSRCs, and of so many others, then of another every few seconds: the stack keeps state of each,
//!   before it knows whether a packet is genuine.

use crate::datagram::kind;
use media_diagnosis::DatagramKind;
use rtc::crypto::{RTCCryptoProvider, default_provider};
use rtc::shared::error::Error;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{CLASS_INDICATION, Message, TransactionId};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many checks of ours may still be answered.
const CHECKS: usize = 64;

/// How many addresses are known to have passed a check. A far side that moves has passed the last one last.
const ADDRESSES: usize = 16;

/// How many SSRCs may be tried at once that were not genuine so far, beside those of the offer; as many may have been genuine.
const SSRCS: usize = 32;

/// How soon another SSRC may be tried once that many were.
const REFILLED_AFTER: Duration = Duration::from_secs(5);

/// Where an SRTCP packet says whether it is encrypted: the flag is the first bit of its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// The index is followed by a tag of 80 bits: `AES_CM` with HMAC-SHA1.
    Hmac,
    /// The index comes last: AES-GCM.
    Aead,
}

/// Who may send what.
pub(super) struct DatagramFilter {
    crypto: Arc<dyn RTCCryptoProvider>,
    /// What the far side's checks are signed with.
    our_pwd: String,
    /// What its answers are signed with.
    their_pwd: String,
    checks: VecDeque<(TransactionId, SocketAddr)>,
    checked: VecDeque<SocketAddr>,
    sound: Ssrcs,
    reports: Ssrcs,
}

/// The SSRCs of one protocol that the stack has seen.
#[derive(Debug, Default)]
struct Ssrcs {
    /// Those of the offer: always let in.
    offered: Vec<u32>,
    genuine: Vec<u32>,
    tried: VecDeque<u32>,
    /// When the last of those was let in first.
    tried_at: Option<Instant>,
}

impl DatagramFilter {
    /// `ssrcs` are those of the offer.
    pub(super) fn new(our_pwd: &str, their_pwd: &str, ssrcs: &[u32]) -> Result<Self, Error> {
        let crypto = default_provider().map_err(|error| Error::Other(error.to_string()))?;
        let (our_pwd, their_pwd) = (our_pwd.to_owned(), their_pwd.to_owned());
        let (checks, checked) = (VecDeque::new(), VecDeque::new());
        let (sound, reports) = (Ssrcs::of_offer(ssrcs), Ssrcs::of_offer(ssrcs));
        Ok(Self { crypto, our_pwd, their_pwd, checks, checked, sound, reports })
    }

    /// Notes a check of ours.
    pub(super) fn note_check(&mut self, check: &[u8], to: SocketAddr) {
        if let Some(id) = transaction(check) {
            self.checks.push_back((id, to));
            self.checks.drain(..self.checks.len().saturating_sub(CHECKS));
        }
    }

    /// Whether the stack is given a datagram. `sealing` is how SRTCP is sealed; `None` while that is not agreed.
    pub(super) fn admits(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        sealing: Option<Encryption>,
        now: Instant,
    ) -> bool {
        match kind(datagram) {
            DatagramKind::StunRequest => self.admits_request(datagram, from),
            DatagramKind::StunSuccess => self.admits_answer(datagram, from),
            DatagramKind::Dtls => self.has_passed(from),
            DatagramKind::Rtp { .. } => {
                self.has_passed(from) && ssrc(datagram, 8).is_some_and(|ssrc| self.sound.admits(ssrc, now))
            }
            DatagramKind::Rtcp => {
                self.has_passed(from)
                    && sealing.is_some_and(|sealing| sealing.is_encrypted(datagram))
                    && ssrc(datagram, 4).is_some_and(|ssrc| self.reports.admits(ssrc, now))
            }
            // The stack has no use for these.
            DatagramKind::StunError(_) | DatagramKind::Other => false,
        }
    }

    /// Notes that the stack could decrypt a datagram.
    pub(super) fn note_genuine(&mut self, datagram: &[u8]) {
        match kind(datagram) {
            DatagramKind::Rtp { .. } => ssrc(datagram, 8).into_iter().for_each(|ssrc| self.sound.prove(ssrc)),
            DatagramKind::Rtcp => ssrc(datagram, 4).into_iter().for_each(|ssrc| self.reports.prove(ssrc)),
            DatagramKind::StunRequest
            | DatagramKind::StunSuccess
            | DatagramKind::StunError(_)
            | DatagramKind::Dtls
            | DatagramKind::Other => {}
        }
    }

    /// Whether the stack could decrypt a datagram of the same SSRC before: one that it cannot is most likely a repetition.
    pub(super) fn knows(&self, datagram: &[u8]) -> bool {
        match kind(datagram) {
            DatagramKind::Rtp { .. } => {
                ssrc(datagram, 8).is_some_and(|ssrc| self.sound.genuine.contains(&ssrc))
            }
            DatagramKind::Rtcp => ssrc(datagram, 4).is_some_and(|ssrc| self.reports.genuine.contains(&ssrc)),
            DatagramKind::StunRequest
            | DatagramKind::StunSuccess
            | DatagramKind::StunError(_)
            | DatagramKind::Dtls
            | DatagramKind::Other => false,
        }
    }

    /// Whether an address has passed an ICE check.
    pub(super) fn has_passed(&self, address: SocketAddr) -> bool {
        self.checked.contains(&address)
    }

    /// A check is signed. An indication, which only keeps a path open, need not be.
    fn admits_request(&mut self, datagram: &[u8], from: SocketAddr) -> bool {
        let Some(mut message) = read(datagram) else { return false };
        if message.typ.class == CLASS_INDICATION {
            return self.has_passed(from);
        }
        let is_signed =
            MessageIntegrity::check(&mut message, self.our_pwd.as_bytes(), self.crypto.crypto()).is_ok();
        if is_signed {
            self.pass(from);
        }
        is_signed
    }

    fn admits_answer(&mut self, datagram: &[u8], from: SocketAddr) -> bool {
        let Some(mut message) = read(datagram) else { return false };
        let is_signed =
            MessageIntegrity::check(&mut message, self.their_pwd.as_bytes(), self.crypto.crypto()).is_ok();
        if is_signed && self.checks.contains(&(message.transaction_id, from)) {
            self.pass(from);
        }
        is_signed
    }

    fn pass(&mut self, address: SocketAddr) {
        self.checked.retain(|checked| *checked != address);
        self.checked.push_back(address);
        self.checked.drain(..self.checked.len().saturating_sub(ADDRESSES));
    }
}

impl Encryption {
    /// What the stack calls the agreed protection.
    pub(super) fn of(cipher: &str) -> Option<Self> {
        if cipher.starts_with("SRTP_AEAD_") {
            Some(Self::Aead)
        } else {
            cipher.starts_with("SRTP_AES").then_some(Self::Hmac)
        }
    }

    /// RFC 3711, section 3.4, and RFC 7714, section 9.
    fn is_encrypted(self, report: &[u8]) -> bool {
        let index_to_end = match self {
            Self::Hmac => 4 + 10,
            Self::Aead => 4,
        };
        let index = report.len().checked_sub(index_to_end).filter(|index| *index >= 8);
        index.is_some_and(|index| report[index] & 0x80 != 0)
    }
}

impl Ssrcs {
    fn of_offer(ssrcs: &[u32]) -> Self {
        Self { offered: ssrcs.iter().copied().take(SSRCS).collect(), ..Self::default() }
    }

    fn admits(&mut self, ssrc: u32, now: Instant) -> bool {
        if self.offered.contains(&ssrc) || self.genuine.contains(&ssrc) || self.tried.contains(&ssrc) {
            return true;
        }
        if self.tried.len() >= SSRCS {
            if self.tried_at.is_some_and(|at| now.saturating_duration_since(at) < REFILLED_AFTER) {
                return false;
            }
            self.tried.pop_front();
        }
        self.tried.push_back(ssrc);
        self.tried_at = Some(now);
        true
    }

    fn prove(&mut self, ssrc: u32) {
        let is_full = self.genuine.len() >= SSRCS && !self.offered.contains(&ssrc);
        if !is_full && !self.genuine.contains(&ssrc) {
            self.tried.retain(|tried| *tried != ssrc);
            self.genuine.push(ssrc);
        }
    }
}

fn read(datagram: &[u8]) -> Option<Message> {
    let mut message = Message { raw: datagram.to_vec(), ..Message::default() };
    message.decode().ok()?;
    Some(message)
}

fn transaction(stun: &[u8]) -> Option<TransactionId> {
    stun.get(8..20)?.try_into().ok().map(TransactionId)
}

fn ssrc(datagram: &[u8], at: usize) -> Option<u32> {
    datagram.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, MessageType, Setter};

    const OURS: &str = "our password, 22 chars";
    const THEIRS: &str = "their password, 22 ...";

    #[test]
    fn only_the_address_that_answered_a_check_may_send_media() {
        let mut admission = admission();
        let check = signed(BINDING_REQUEST, THEIRS);
        admission.note_check(&check.raw, relay());
        assert!(!admission.admits(&sound(1), relay(), None, Instant::now()), "it has answered nothing yet");

        let answer = answer(&check, THEIRS);
        assert!(
            admission.admits(&answer, stranger(), None, Instant::now()),
            "the stack decides what comes of it"
        );
        assert!(!admission.admits(&sound(1), stranger(), None, Instant::now()));

        assert!(admission.admits(&answer, relay(), None, Instant::now()));
        assert!(admission.admits(&sound(1), relay(), None, Instant::now()));
        assert!(
            admission.admits(&[22, 254, 253], relay(), None, Instant::now())
                && !admission.admits(&[22, 254, 253], stranger(), None, Instant::now())
        );
    }

    #[test]
    fn a_signed_check_of_the_far_side_passes_and_others_reach_nothing() {
        let mut admission = admission();

        assert!(!admission.admits(&signed(BINDING_REQUEST, "a guess").raw, relay(), None, Instant::now()));
        assert!(!admission.admits(
            &answer(&signed(BINDING_REQUEST, THEIRS), "a guess"),
            relay(),
            None,
            Instant::now()
        ));
        assert!(!admission.admits(&[0, 1, 0, 0], relay(), None, Instant::now()));
        assert!(!admission.has_passed(relay()));

        assert!(admission.admits(&signed(BINDING_REQUEST, OURS).raw, relay(), None, Instant::now()));
        assert!(admission.has_passed(relay()));
    }

    #[test]
    fn a_report_that_says_it_is_not_encrypted_is_refused() {
        for (sealing, index_to_end) in [(Encryption::Hmac, 14), (Encryption::Aead, 4)] {
            let mut admission = passed();
            let mut report = vec![0xff; 40];
            report[..4].copy_from_slice(&[0x81, 201, 0, 1]);
            assert!(admission.admits(&report, relay(), Some(sealing), Instant::now()));

            report[40 - index_to_end] = 0x7f;

            assert!(!admission.admits(&report, relay(), Some(sealing), Instant::now()), "{sealing:?}");
            assert!(!admission.admits(&report[..8], relay(), Some(sealing), Instant::now()), "{sealing:?}");
            let in_ssrc = &report[..7 + index_to_end];
            assert!(!admission.admits(in_ssrc, relay(), Some(sealing), Instant::now()), "{sealing:?}");
            assert!(!admission.admits(&report, relay(), None, Instant::now()), "before keys are agreed");
        }
    }

    #[test]
    fn ssrcs_are_bounded_and_genuine_ones_stay() {
        let mut admission = passed();
        assert!(admission.admits(&sound(7), relay(), None, Instant::now()));
        admission.note_genuine(&sound(7));

        let admitted = (1_000..101_000)
            .filter(|ssrc| admission.admits(&sound(*ssrc), relay(), None, Instant::now()))
            .count();

        assert_eq!(admitted, SSRCS);
        assert!(admission.admits(&sound(7), relay(), None, Instant::now()));
    }

    #[test]
    fn ssrcs_of_reports_are_bounded_too() {
        let mut admission = passed();
        let report = |ssrc: u32| {
            let mut report = vec![0xff; 40];
            report[..4].copy_from_slice(&[0x81, 201, 0, 1]);
            report[4..8].copy_from_slice(&ssrc.to_be_bytes());
            report
        };
        let mut admits =
            |ssrc| admission.admits(&report(ssrc), relay(), Some(Encryption::Aead), Instant::now());
        assert!(admits(7));

        let admitted = (1_000..2_000).filter(|ssrc| admits(*ssrc)).count();

        assert_eq!(admitted, SSRCS - 1, "one was tried before");
        admission.note_genuine(&report(7));
        assert!(admission.knows(&report(7)));
    }

    #[test]
    fn ssrcs_of_the_offer_are_admitted_whatever_else_was_tried() {
        let mut admission = DatagramFilter::new(OURS, THEIRS, &[7]).expect("there is crypto");
        assert!(admission.admits_at(&signed(BINDING_REQUEST, OURS).raw, relay(), Instant::now()));
        let now = Instant::now();
        for ssrc in 1_000..2_000 {
            admission.admits_at(&sound(ssrc), relay(), now);
        }

        assert!(admission.admits_at(&sound(7), relay(), now));
        admission.note_genuine(&sound(7));
        assert!(admission.knows(&sound(7)));
    }

    #[test]
    fn another_ssrc_is_tried_every_few_seconds_after_a_flood() {
        let (mut admission, now) = (passed(), Instant::now());
        for ssrc in 1_000..2_000 {
            admission.admits_at(&sound(ssrc), relay(), now);
        }
        assert!(!admission.admits_at(&sound(7), relay(), now + REFILLED_AFTER / 2));

        assert!(admission.admits_at(&sound(7), relay(), now + REFILLED_AFTER));
        assert!(!admission.admits_at(&sound(8), relay(), now + REFILLED_AFTER), "one place");
        assert_eq!(admission.sound.tried.len(), SSRCS, "the state is bounded");
        admission.note_genuine(&sound(7));
        assert!(admission.admits_at(&sound(7), relay(), now + REFILLED_AFTER));
    }

    #[test]
    fn a_known_address_that_passes_again_is_not_forgotten_first() {
        let mut admission = passed();
        let another = |port| ([127, 0, 0, 3], port).into();
        (1..ADDRESSES as u16).for_each(|port| admission.pass(another(port)));

        admission.pass(relay());
        admission.pass(another(99));

        assert!(admission.has_passed(relay()));
        assert_eq!(admission.checked.len(), ADDRESSES);
    }

    #[test]
    fn a_cipher_that_is_not_known_seals_nothing() {
        assert_eq!(Encryption::of("SRTP_AEAD_AES_128_GCM"), Some(Encryption::Aead));
        assert_eq!(Encryption::of("SRTP_AES128_CM_HMAC_SHA1_80"), Some(Encryption::Hmac));
        assert_eq!((Encryption::of(""), Encryption::of("Unknown")), (None, None));
    }

    impl DatagramFilter {
        fn admits_at(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) -> bool {
            self.admits(datagram, from, None, now)
        }
    }

    fn admission() -> DatagramFilter {
        DatagramFilter::new(OURS, THEIRS, &[]).expect("there is crypto")
    }

    fn passed() -> DatagramFilter {
        let mut admission = admission();
        assert!(admission.admits(&signed(BINDING_REQUEST, OURS).raw, relay(), None, Instant::now()));
        admission
    }

    fn sound(ssrc: u32) -> Vec<u8> {
        let mut sound = vec![0x80, 111, 0, 1, 0, 0, 0, 1];
        sound.extend(ssrc.to_be_bytes());
        sound.resize(40, 0);
        sound
    }

    fn signed(typ: MessageType, pwd: &str) -> Message {
        signed_as(typ, TransactionId::new(), pwd)
    }

    fn answer(check: &Message, pwd: &str) -> Vec<u8> {
        signed_as(BINDING_SUCCESS, check.transaction_id, pwd).raw
    }

    fn signed_as(typ: MessageType, id: TransactionId, pwd: &str) -> Message {
        let provider = default_provider().expect("there is crypto");
        let mut message = Message::new();
        message.build(&[Box::new(typ), Box::new(id)]).expect("a message");
        MessageIntegrity::new_short_term_integrity_with_provider(pwd.to_owned(), provider.crypto())
            .add_to(&mut message)
            .expect("it can be signed");
        message
    }

    fn relay() -> SocketAddr {
        ([127, 0, 0, 1], 3_480).into()
    }

    fn stranger() -> SocketAddr {
        ([127, 0, 0, 2], 3_480).into()
    }
}
