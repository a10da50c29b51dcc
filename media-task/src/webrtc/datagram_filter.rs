//! Decides which datagrams reach the WebRTC stack, since any host can send any datagram to a call's port. These do:
//!
//! - STUN with a valid MESSAGE-INTEGRITY: the stack handles role conflicts before it verifies one.
//! - DTLS, SRTP and SRTCP from an address that passed an ICE check, by answering one of ours or by sending one: the stack itself
//!   accepts them from any address.
//! - SRTCP only if its encryption flag is set: the stack accepts unencrypted RTCP without verifying its tag.
//! - SRTP and SRTCP only of the offer's SSRCs and of a bounded number of others, refilled every few seconds: the stack keeps state
//!   for each SSRC before it knows whether a packet is genuine.

mod srtcp_trailer;
mod ssrcs;

use super::datagram::kind;
use media_diagnosis::DatagramKind;
use rtc::crypto::{RTCCryptoProvider, default_provider};
use rtc::shared::error::Error;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{CLASS_INDICATION, Message, TransactionId};
pub(super) use srtcp_trailer::SrtcpTrailer;
use ssrcs::Ssrcs;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// How many of our checks are remembered as unanswered.
const MAX_CHECKS: usize = 64;

/// How many addresses that passed a check are remembered. The far side's current one is the last, since it passed most recently.
const MAX_ADDRESSES: usize = 16;

/// Which addresses and SSRCs may send to the stack.
pub(super) struct DatagramFilter {
    crypto: Arc<dyn RTCCryptoProvider>,
    /// Our ICE password, which signs the far side's checks.
    our_pwd: String,
    /// The far side's ICE password, which signs its responses.
    their_pwd: String,
    checks: VecDeque<(TransactionId, SocketAddr)>,
    checked: VecDeque<SocketAddr>,
    rtp: Ssrcs,
    rtcp: Ssrcs,
}

impl DatagramFilter {
    /// Returns a filter that always admits `ssrcs`, those of the offer.
    pub(super) fn new(our_pwd: &str, their_pwd: &str, ssrcs: &[u32]) -> Result<Self, Error> {
        let crypto = default_provider().map_err(|error| Error::Other(error.to_string()))?;
        let (our_pwd, their_pwd) = (our_pwd.to_owned(), their_pwd.to_owned());
        let (checks, checked) = (VecDeque::new(), VecDeque::new());
        let (rtp, rtcp) = (Ssrcs::of_offer(ssrcs), Ssrcs::of_offer(ssrcs));
        Ok(Self { crypto, our_pwd, their_pwd, checks, checked, rtp, rtcp })
    }

    /// Notes a check that we send.
    pub(super) fn note_check(&mut self, check: &[u8], to: SocketAddr) {
        if let Some(id) = transaction(check) {
            self.checks.push_back((id, to));
            self.checks.drain(..self.checks.len().saturating_sub(MAX_CHECKS));
        }
    }

    /// Whether a datagram may reach the stack. `srtcp` is the format of SRTCP; `None` before DTLS has agreed on it.
    pub(super) fn admits(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        srtcp: Option<SrtcpTrailer>,
        now: Instant,
    ) -> bool {
        match kind(datagram) {
            DatagramKind::StunRequest => self.admits_request(datagram, from),
            DatagramKind::StunSuccess => self.admits_response(datagram, from),
            DatagramKind::Dtls => self.has_passed(from),
            DatagramKind::Rtp { .. } => {
                self.has_passed(from) && ssrc(datagram, 8).is_some_and(|ssrc| self.rtp.admits(ssrc, now))
            }
            DatagramKind::Rtcp => {
                self.has_passed(from)
                    && srtcp.is_some_and(|srtcp| srtcp.is_encrypted(datagram))
                    && ssrc(datagram, 4).is_some_and(|ssrc| self.rtcp.admits(ssrc, now))
            }
            // The stack has no use for these.
            DatagramKind::StunError(_) | DatagramKind::Other => false,
        }
    }

    /// Notes that the stack has decrypted a datagram.
    pub(super) fn note_genuine(&mut self, datagram: &[u8]) {
        match kind(datagram) {
            DatagramKind::Rtp { .. } => {
                ssrc(datagram, 8).into_iter().for_each(|ssrc| self.rtp.note_genuine(ssrc))
            }
            DatagramKind::Rtcp => ssrc(datagram, 4).into_iter().for_each(|ssrc| self.rtcp.note_genuine(ssrc)),
            DatagramKind::StunRequest
            | DatagramKind::StunSuccess
            | DatagramKind::StunError(_)
            | DatagramKind::Dtls
            | DatagramKind::Other => {}
        }
    }

    /// Whether the stack has decrypted a datagram of the same SSRC before: one that now fails is most likely a repetition.
    pub(super) fn knows(&self, datagram: &[u8]) -> bool {
        match kind(datagram) {
            DatagramKind::Rtp { .. } => ssrc(datagram, 8).is_some_and(|ssrc| self.rtp.knows(ssrc)),
            DatagramKind::Rtcp => ssrc(datagram, 4).is_some_and(|ssrc| self.rtcp.knows(ssrc)),
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

    /// Whether a request is admitted: checks must be signed; indications, which only keep a path open, need not be.
    fn admits_request(&mut self, datagram: &[u8], from: SocketAddr) -> bool {
        let Some(mut message) = read(datagram) else { return false };
        if message.typ.class == CLASS_INDICATION {
            return self.has_passed(from);
        }
        let is_signed =
            MessageIntegrity::check(&mut message, self.our_pwd.as_bytes(), self.crypto.crypto()).is_ok();
        if is_signed {
            self.note_passed(from);
        }
        is_signed
    }

    fn admits_response(&mut self, datagram: &[u8], from: SocketAddr) -> bool {
        let Some(mut message) = read(datagram) else { return false };
        let is_signed =
            MessageIntegrity::check(&mut message, self.their_pwd.as_bytes(), self.crypto.crypto()).is_ok();
        if is_signed && self.checks.contains(&(message.transaction_id, from)) {
            self.note_passed(from);
        }
        is_signed
    }

    fn note_passed(&mut self, address: SocketAddr) {
        self.checked.retain(|checked| *checked != address);
        self.checked.push_back(address);
        self.checked.drain(..self.checked.len().saturating_sub(MAX_ADDRESSES));
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
    use super::ssrcs::{MAX_SSRCS, REFILL_AFTER};
    use super::*;
    use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, MessageType, Setter};

    const OURS: &str = "our password, 22 chars";
    const THEIRS: &str = "their password, 22 ...";

    #[test]
    fn only_an_address_that_answered_a_check_may_send_media() {
        let mut filter = filter();
        let check = signed(BINDING_REQUEST, THEIRS);
        filter.note_check(&check.raw, relay());
        assert!(!filter.admits(&rtp(1), relay(), None, Instant::now()), "it has answered no check yet");

        let answer = answer(&check, THEIRS);
        assert!(
            filter.admits(&answer, stranger(), None, Instant::now()),
            "the stack decides about signed responses"
        );
        assert!(!filter.admits(&rtp(1), stranger(), None, Instant::now()));

        assert!(filter.admits(&answer, relay(), None, Instant::now()));
        assert!(filter.admits(&rtp(1), relay(), None, Instant::now()));
        assert!(
            filter.admits(&[22, 254, 253], relay(), None, Instant::now())
                && !filter.admits(&[22, 254, 253], stranger(), None, Instant::now())
        );
    }

    #[test]
    fn only_signed_stun_passes() {
        let mut filter = filter();

        assert!(!filter.admits(&signed(BINDING_REQUEST, "a guess").raw, relay(), None, Instant::now()));
        assert!(!filter.admits(
            &answer(&signed(BINDING_REQUEST, THEIRS), "a guess"),
            relay(),
            None,
            Instant::now()
        ));
        assert!(!filter.admits(&[0, 1, 0, 0], relay(), None, Instant::now()));
        assert!(!filter.has_passed(relay()));

        assert!(filter.admits(&signed(BINDING_REQUEST, OURS).raw, relay(), None, Instant::now()));
        assert!(filter.has_passed(relay()));
    }

    #[test]
    fn unencrypted_srtcp_is_refused() {
        for (srtcp, index_to_end) in [(SrtcpTrailer::Hmac, 14), (SrtcpTrailer::Aead, 4)] {
            let mut filter = passed();
            let mut report = vec![0xff; 40];
            report[..4].copy_from_slice(&[0x81, 201, 0, 1]);
            assert!(filter.admits(&report, relay(), Some(srtcp), Instant::now()));

            report[40 - index_to_end] = 0x7f;

            assert!(!filter.admits(&report, relay(), Some(srtcp), Instant::now()), "{srtcp:?}");
            assert!(!filter.admits(&report[..8], relay(), Some(srtcp), Instant::now()), "{srtcp:?}");
            let flag_in_ssrc = &report[..7 + index_to_end];
            assert!(!filter.admits(flag_in_ssrc, relay(), Some(srtcp), Instant::now()), "{srtcp:?}");
            assert!(!filter.admits(&report, relay(), None, Instant::now()), "before keys are agreed");
        }
    }

    #[test]
    fn ssrcs_are_bounded_and_genuine_ones_stay() {
        let mut filter = passed();
        assert!(filter.admits(&rtp(7), relay(), None, Instant::now()));
        filter.note_genuine(&rtp(7));

        let admitted =
            (1_000..101_000).filter(|ssrc| filter.admits(&rtp(*ssrc), relay(), None, Instant::now())).count();

        assert_eq!(admitted, MAX_SSRCS);
        assert!(filter.admits(&rtp(7), relay(), None, Instant::now()));
    }

    #[test]
    fn ssrcs_of_reports_are_bounded_too() {
        let mut filter = passed();
        let report = |ssrc: u32| {
            let mut report = vec![0xff; 40];
            report[..4].copy_from_slice(&[0x81, 201, 0, 1]);
            report[4..8].copy_from_slice(&ssrc.to_be_bytes());
            report
        };
        let mut admits =
            |ssrc| filter.admits(&report(ssrc), relay(), Some(SrtcpTrailer::Aead), Instant::now());
        assert!(admits(7));

        let admitted = (1_000..2_000).filter(|ssrc| admits(*ssrc)).count();

        assert_eq!(admitted, MAX_SSRCS - 1, "one was tried before");
        filter.note_genuine(&report(7));
        assert!(filter.knows(&report(7)));
    }

    #[test]
    fn ssrcs_of_the_offer_are_admitted_during_a_flood() {
        let mut filter = DatagramFilter::new(OURS, THEIRS, &[7]).expect("there is crypto");
        assert!(filter.admits_at(&signed(BINDING_REQUEST, OURS).raw, relay(), Instant::now()));
        let now = Instant::now();
        for ssrc in 1_000..2_000 {
            filter.admits_at(&rtp(ssrc), relay(), now);
        }

        assert!(filter.admits_at(&rtp(7), relay(), now));
        filter.note_genuine(&rtp(7));
        assert!(filter.knows(&rtp(7)));
    }

    #[test]
    fn another_ssrc_is_tried_every_few_seconds_after_a_flood() {
        let (mut filter, now) = (passed(), Instant::now());
        for ssrc in 1_000..2_000 {
            filter.admits_at(&rtp(ssrc), relay(), now);
        }
        assert!(!filter.admits_at(&rtp(7), relay(), now + REFILL_AFTER / 2));

        assert!(filter.admits_at(&rtp(7), relay(), now + REFILL_AFTER));
        assert!(!filter.admits_at(&rtp(8), relay(), now + REFILL_AFTER), "one place");
        assert_eq!(filter.rtp.tried(), MAX_SSRCS, "the state is bounded");
        filter.note_genuine(&rtp(7));
        assert!(filter.admits_at(&rtp(7), relay(), now + REFILL_AFTER));
    }

    #[test]
    fn an_address_that_passes_again_is_evicted_last() {
        let mut filter = passed();
        let another = |port| ([127, 0, 0, 3], port).into();
        (1..MAX_ADDRESSES as u16).for_each(|port| filter.note_passed(another(port)));

        filter.note_passed(relay());
        filter.note_passed(another(99));

        assert!(filter.has_passed(relay()));
        assert_eq!(filter.checked.len(), MAX_ADDRESSES);
    }

    impl DatagramFilter {
        fn admits_at(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) -> bool {
            self.admits(datagram, from, None, now)
        }
    }

    fn filter() -> DatagramFilter {
        DatagramFilter::new(OURS, THEIRS, &[]).expect("there is crypto")
    }

    fn passed() -> DatagramFilter {
        let mut filter = filter();
        assert!(filter.admits(&signed(BINDING_REQUEST, OURS).raw, relay(), None, Instant::now()));
        filter
    }

    fn rtp(ssrc: u32) -> Vec<u8> {
        let mut rtp = vec![0x80, 111, 0, 1, 0, 0, 0, 1];
        rtp.extend(ssrc.to_be_bytes());
        rtp.resize(40, 0);
        rtp
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
