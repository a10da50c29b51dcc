//! Consent freshness (RFC 7675): adds USE-CANDIDATE to every check of the nominated pair, as libwebrtc does.
//!
//! The stack sends USE-CANDIDATE only until it has selected a pair. A relay made for libwebrtc may answer no check of that pair
//! without it, so checks are rewritten on their way out: attribute, integrity, fingerprint.

use bytes::BytesMut;
use rtc::crypto::{RTCCryptoProvider, default_provider};
use rtc::shared::error::Error;
use rtc::stun::attributes::{
    ATTR_FINGERPRINT, ATTR_ICE_CONTROLLING, ATTR_MESSAGE_INTEGRITY, ATTR_USE_CANDIDATE,
};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, Message, Setter};
use std::net::SocketAddr;
use std::sync::Arc;

/// The nominated candidate pair, and what signs its checks.
pub(super) struct PairNomination {
    crypto: Arc<dyn RTCCryptoProvider>,
    /// The far side's ICE password.
    pwd: String,
    /// The remote address of the pair. The local one is the call's only socket.
    remote: Option<SocketAddr>,
}

impl PairNomination {
    pub(super) fn new(pwd: &str) -> Result<Self, Error> {
        let crypto = default_provider().map_err(|error| Error::Other(error.to_string()))?;
        Ok(Self { crypto, pwd: pwd.to_owned(), remote: None })
    }

    /// Returns the STUN message to send instead of the stack's: with USE-CANDIDATE if it checks the nominated pair.
    pub(super) fn rewrite_check(&mut self, datagram: BytesMut, to: SocketAddr) -> BytesMut {
        match self.renominate(&datagram, to) {
            Ok(Some(check)) => check,
            Ok(None) => datagram,
            Err(error) => {
                tracing::warn!("rewriting an ICE check failed, sent without USE-CANDIDATE: {error}");
                datagram
            }
        }
    }

    fn renominate(&mut self, datagram: &[u8], to: SocketAddr) -> Result<Option<BytesMut>, Error> {
        let mut check = Message { raw: datagram.to_vec(), ..Message::default() };
        check.decode()?;
        if check.typ != BINDING_REQUEST {
            return Ok(None);
        }
        if check.contains(ATTR_USE_CANDIDATE) {
            self.remote = Some(to);
            return Ok(None);
        }
        // Only the controlling side may nominate.
        if self.remote != Some(to) || !check.contains(ATTR_ICE_CONTROLLING) {
            return Ok(None);
        }
        self.rewrite(&check).map(Some)
    }

    fn rewrite(&self, check: &Message) -> Result<BytesMut, Error> {
        let mut nominating = Message::new();
        nominating.build(&[Box::new(check.typ), Box::new(check.clone())])?;
        for attribute in &check.attributes.0 {
            if ![ATTR_MESSAGE_INTEGRITY, ATTR_FINGERPRINT].contains(&attribute.typ) {
                nominating.add(attribute.typ, &attribute.value);
            }
        }
        nominating.add(ATTR_USE_CANDIDATE, &[]);
        let crypto = self.crypto.crypto();
        MessageIntegrity::new_short_term_integrity_with_provider(self.pwd.clone(), crypto)
            .add_to(&mut nominating)?;
        FINGERPRINT.add_to(&mut nominating)?;
        Ok(BytesMut::from(&nominating.raw[..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::ice::attributes::control::{AttrControlled, AttrControlling};
    use rtc::ice::attributes::use_candidate::UseCandidateAttr;
    use rtc::stun::attributes::ATTR_USERNAME;
    use rtc::stun::message::{BINDING_SUCCESS, TransactionId};
    use rtc::stun::textattrs::Username;

    const PWD: &str = "+219v9nKr3xSQIn8s+Fy8g==";

    #[test]
    fn checks_of_the_nominated_pair_nominate_it_again() {
        let mut nomination = PairNomination::new(PWD).expect("there is crypto");
        nomination.rewrite_check(written(&controlling(true)), relay());
        let check = controlling(false);

        let sent = read(&nomination.rewrite_check(written(&check), relay()));

        let key = PWD.as_bytes();
        assert!(sent.contains(ATTR_USE_CANDIDATE));
        assert_eq!(
            (sent.transaction_id, sent.get(ATTR_USERNAME)),
            (check.transaction_id, check.get(ATTR_USERNAME))
        );
        MessageIntegrity::check(&mut sent.clone(), key, nomination.crypto.crypto()).expect("it is signed");
        FINGERPRINT.check(&sent).expect("it has its fingerprint");
        let last: Vec<_> = sent.attributes.0.iter().rev().take(2).map(|attribute| attribute.typ).collect();
        assert_eq!(last, [ATTR_FINGERPRINT, ATTR_MESSAGE_INTEGRITY]);
    }

    #[test]
    fn checks_of_other_pairs_are_not_rewritten() {
        let mut nomination = PairNomination::new(PWD).expect("there is crypto");
        let check = written(&controlling(false));
        assert_eq!(nomination.rewrite_check(check.clone(), relay()), check);

        nomination.rewrite_check(written(&controlling(true)), relay());

        assert_eq!(nomination.rewrite_check(check.clone(), ([127, 0, 0, 1], 3_482).into()), check);
    }

    #[test]
    fn responses_and_controlled_checks_never_nominate() {
        let mut nomination = PairNomination::new(PWD).expect("there is crypto");
        nomination.rewrite_check(written(&controlling(true)), relay());
        let mut controlled = Message::new();
        controlled
            .build(&[Box::new(BINDING_REQUEST), Box::new(TransactionId::new()), Box::new(AttrControlled(7))])
            .expect("a check");
        let mut answer = Message::new();
        answer.build(&[Box::new(BINDING_SUCCESS), Box::new(TransactionId::new())]).expect("an answer");

        for message in [controlled, answer] {
            assert_eq!(nomination.rewrite_check(written(&message), relay()), written(&message));
        }
    }

    fn relay() -> SocketAddr {
        ([127, 0, 0, 1], 3_480).into()
    }

    /// Returns a check as the stack writes it.
    fn controlling(nominates: bool) -> Message {
        let mut check = Message::new();
        let username = Username::new(ATTR_USERNAME, "relay:agent".to_owned());
        check
            .build(&[Box::new(BINDING_REQUEST), Box::new(TransactionId::new()), Box::new(username)])
            .expect("a check");
        if nominates {
            UseCandidateAttr.add_to(&mut check).expect("it has room");
        }
        AttrControlling(7).add_to(&mut check).expect("it has room");
        let provider = default_provider().expect("there is crypto");
        MessageIntegrity::new_short_term_integrity_with_provider(PWD.to_owned(), provider.crypto())
            .add_to(&mut check)
            .expect("it can be signed");
        FINGERPRINT.add_to(&mut check).expect("it has room");
        check
    }

    fn written(message: &Message) -> BytesMut {
        BytesMut::from(&message.raw[..])
    }

    fn read(datagram: &[u8]) -> Message {
        let mut message = Message { raw: datagram.to_vec(), ..Message::default() };
        message.decode().expect("it is STUN");
        message
    }
}
