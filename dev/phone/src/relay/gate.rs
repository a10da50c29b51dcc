//! Decides what the relay lets in, datagram by datagram, and what is wrong with the moment it comes.
//!
//! Meta's relay is ICE-lite and passive: it knows nobody before it has the answer, it answers checks and never sends
//! any, and until `accept` it passes no sound on. A relay with full ICE lets its peer see to the roles.

use super::datagram::{self, Kind};
use crate::{Fault, Mischief};
use std::net::IpAddr;
use str0m::ice::StunMessage;

/// What the relay knows by now.
#[derive(Debug)]
pub(crate) struct Gate {
    pwd: String,
    full_ice: bool,
    mischief: Vec<Mischief>,
    /// The addresses that the answer gives.
    advertised: Vec<IpAddr>,
    has_answer: bool,
    has_path: bool,
    open: bool,
    early: Early,
}

/// What came before `accept`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Early {
    pub(crate) packets: u64,
    pub(crate) reports: u64,
}

/// What to do with a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) fate: Fate,
    pub(crate) fault: Option<Fault>,
}

/// Where a datagram goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Drop,
    /// To the WebRTC peer.
    Pass,
    /// Nowhere; this goes back.
    Reply(Vec<u8>),
}

impl Gate {
    /// A gate that lets nothing in yet. `pwd` is the relay's ICE password.
    pub(crate) fn new(pwd: &str, full_ice: bool, mischief: &[Mischief]) -> Gate {
        Gate {
            pwd: pwd.to_owned(),
            full_ice,
            mischief: mischief.to_vec(),
            advertised: vec![],
            has_answer: false,
            has_path: false,
            open: false,
            early: Early::default(),
        }
    }

    /// The business showed its answer.
    pub(crate) fn handle_answer(&mut self, candidates: impl Iterator<Item = IpAddr>) {
        self.advertised = candidates.collect();
        self.has_answer = true;
    }

    /// ICE is done.
    pub(crate) fn handle_path(&mut self) {
        self.has_path = true;
    }

    /// Whether ICE is done.
    pub(crate) fn has_path(&self) -> bool {
        self.has_path
    }

    /// The business picked up.
    pub(crate) fn open(&mut self) {
        self.open = true;
    }

    /// Whether the business picked up.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// What came too early.
    pub(crate) fn early(&self) -> Early {
        self.early
    }

    /// Judges one datagram.
    pub(crate) fn judge(&mut self, datagram: &[u8], from: IpAddr) -> Verdict {
        if self.mischief.contains(&Mischief::AdvertisedOnly) && !self.advertised.contains(&from) {
            return Verdict::dropped(None);
        }
        match datagram::kind(datagram) {
            Kind::Stun => self.judge_stun(datagram),
            Kind::Dtls => self.judge_dtls(datagram),
            Kind::Rtp if !self.open => {
                self.early.packets += 1;
                Verdict::dropped(Some(Fault::EarlyMedia))
            }
            Kind::Rtcp if !self.open => {
                self.early.reports += 1;
                if self.has_answer { Verdict::pass(None) } else { Verdict::dropped(None) }
            }
            Kind::Rtp if self.mischief.contains(&Mischief::AgentUnheard) => Verdict::dropped(None),
            Kind::Rtp | Kind::Rtcp => Verdict::pass(None),
            Kind::Unknown => Verdict::dropped(None),
        }
    }

    /// Checks may begin before the answer is there; they only get no reply.
    fn judge_stun(&self, datagram: &[u8]) -> Verdict {
        if !self.has_answer || self.mischief.contains(&Mischief::IceNever) {
            return Verdict::dropped(None);
        }
        if let Some((reply, fault)) = self.role_conflict(datagram) {
            return Verdict { fate: Fate::Reply(reply), fault };
        }
        if self.has_path && self.mischief.contains(&Mischief::ChecksUnanswered) {
            return Verdict::dropped(None);
        }
        if self.has_path && self.mischief.contains(&Mischief::StrictRelay) && !nominates(datagram) {
            return Verdict::dropped(Some(Fault::CheckWithoutNomination));
        }
        Verdict::pass(None)
    }

    fn judge_dtls(&self, datagram: &[u8]) -> Verdict {
        if !self.has_answer {
            return Verdict::dropped(Some(Fault::EarlyClientHello));
        }
        if self.mischief.contains(&Mischief::DtlsNever) {
            return Verdict::dropped(None);
        }
        if !self.has_path {
            return Verdict::pass(Some(Fault::DtlsBeforeIce));
        }
        let lacks_profile = datagram::offers_aes_cm(datagram) == Some(false);
        Verdict::pass(lacks_profile.then_some(Fault::SrtpProfileMissing))
    }

    /// The 487 for an agent that will not control. str0m would compare tie-breakers and may give in; Meta does not.
    fn role_conflict(&self, datagram: &[u8]) -> Option<(Vec<u8>, Option<Fault>)> {
        if self.full_ice {
            return None;
        }
        let request = StunMessage::parse(datagram).ok()?;
        let hmac = str0m::crypto::from_feature_flags().sha1_hmac_provider;
        let sign = |key: &[u8], parts: &[&[u8]]| hmac.sha1_hmac(key, parts);
        let is_controlled = request.ice_controlled().is_some();
        let conflicts = is_controlled || self.mischief.contains(&Mischief::RoleConflict);
        if !request.is_binding_request() || !conflicts {
            return None;
        }
        if !request.verify(self.pwd.as_bytes(), sign) {
            return None;
        }
        let mut reply = vec![0; 200];
        let length = StunMessage::binding_role_conflict_reply(request.trans_id())
            .to_bytes(Some(self.pwd.as_bytes()), &mut reply, sign)
            .ok()?;
        reply.truncate(length);
        Some((reply, is_controlled.then_some(Fault::ControlledAgent)))
    }
}

/// Whether a message is a check with USE-CANDIDATE.
fn nominates(datagram: &[u8]) -> bool {
    StunMessage::parse(datagram).is_ok_and(|check| check.is_binding_request() && check.use_candidate())
}

impl Verdict {
    fn dropped(fault: Option<Fault>) -> Verdict {
        Verdict { fate: Fate::Drop, fault }
    }

    fn pass(fault: Option<Fault>) -> Verdict {
        Verdict { fate: Fate::Pass, fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use str0m::ice::{StunMessageBuilder, TransId};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const PWD: &str = "+219v9nKr3xSQIn8s+Fy8g==";
    const RTP: [u8; 12] = [0x80, 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    const RTCP: [u8; 4] = [0x80, 200, 0, 0];
    const DTLS: [u8; 2] = [22, 254];

    #[test]
    fn nothing_gets_in_before_the_answer_and_a_client_hello_is_flagged() {
        let mut gate = Gate::new(PWD, false, &[]);

        assert_eq!(gate.judge(&check(false, PWD), HERE), Verdict::dropped(None));
        assert_eq!(gate.judge(&DTLS, HERE), Verdict::dropped(Some(Fault::EarlyClientHello)));
    }

    #[test]
    fn sound_before_accept_is_lost_and_flagged() {
        let mut gate = answered(None);

        assert_eq!(gate.judge(&RTP, HERE), Verdict::dropped(Some(Fault::EarlyMedia)));
        assert_eq!(gate.judge(&RTCP, HERE), Verdict::pass(None));
        assert_eq!(gate.early(), Early { packets: 1, reports: 1 });

        gate.open();
        assert_eq!(gate.judge(&RTP, HERE), Verdict::pass(None));
    }

    #[test]
    fn a_controlling_agents_check_is_let_in() {
        assert_eq!(answered(None).judge(&check(false, PWD), HERE), Verdict::pass(None));
    }

    #[test]
    fn a_controlled_agent_gets_487_every_time() {
        let mut gate = answered(None);

        for _ in 0..20 {
            let verdict = gate.judge(&check(true, PWD), HERE);

            let Fate::Reply(reply) = verdict.fate else { panic!("a reply") };
            let reply = StunMessage::parse(&reply).unwrap();
            assert_eq!(reply.error_code().map(|(code, _)| code), Some(487));
            assert_eq!(verdict.fault, Some(Fault::ControlledAgent));
        }
    }

    #[test]
    fn a_stranger_gets_no_487() {
        let verdict = answered(None).judge(&check(true, "another password"), HERE);

        assert_eq!(verdict, Verdict::pass(None), "the peer drops it");
    }

    #[test]
    fn dtls_before_a_path_is_flagged() {
        let mut gate = answered(None);
        assert_eq!(gate.judge(&DTLS, HERE).fault, Some(Fault::DtlsBeforeIce));

        gate.handle_path();

        assert_eq!(gate.judge(&DTLS, HERE), Verdict::pass(None));
    }

    #[test]
    fn mischief_drops_checks_or_handshakes_without_a_word() {
        assert_eq!(
            answered(Some(Mischief::IceNever)).judge(&check(false, PWD), HERE),
            Verdict::dropped(None)
        );
        assert_eq!(answered(Some(Mischief::DtlsNever)).judge(&DTLS, HERE), Verdict::dropped(None));
    }

    #[test]
    fn a_relay_that_claims_to_control_refuses_every_check_of_an_agent_that_does() {
        let verdict = answered(Some(Mischief::RoleConflict)).judge(&check(false, PWD), HERE);

        let Fate::Reply(reply) = verdict.fate else { panic!("a reply") };
        let reply = StunMessage::parse(&reply).unwrap();
        assert_eq!(reply.error_code().map(|(code, _)| code), Some(487));
        assert_eq!(verdict.fault, None, "the agent does nothing wrong");
    }

    #[test]
    fn a_relay_that_trusts_the_answer_alone_knows_nobody_from_elsewhere() {
        let mut gate = answered(Some(Mischief::AdvertisedOnly));
        let elsewhere = IpAddr::from([127, 0, 0, 2]);

        assert_eq!(gate.judge(&check(false, PWD), elsewhere), Verdict::dropped(None));
        assert_eq!(gate.judge(&check(false, PWD), HERE), Verdict::pass(None));
    }

    #[test]
    fn an_agent_that_is_not_to_be_heard_sends_into_the_void() {
        let mut gate = answered(Some(Mischief::AgentUnheard));
        gate.open();

        assert_eq!(gate.judge(&RTP, HERE), Verdict::dropped(None));
        assert_eq!(gate.judge(&RTCP, HERE), Verdict::pass(None));
    }

    #[test]
    fn a_strict_relay_answers_only_nominating_checks_once_there_is_a_path() {
        let mut gate = answered(Some(Mischief::StrictRelay));
        assert_eq!(gate.judge(&check(false, PWD), HERE), Verdict::pass(None));

        gate.handle_path();

        let refused = Verdict::dropped(Some(Fault::CheckWithoutNomination));
        assert_eq!(gate.judge(&check(false, PWD), HERE), refused);
        assert_eq!(gate.judge(&nominating(), HERE), Verdict::pass(None));
    }

    #[test]
    fn a_relay_that_leaves_checks_unanswered_answers_those_before_a_path() {
        let mut gate = answered(Some(Mischief::ChecksUnanswered));
        assert_eq!(gate.judge(&nominating(), HERE), Verdict::pass(None));

        gate.handle_path();

        assert_eq!(gate.judge(&nominating(), HERE), Verdict::dropped(None));
    }

    fn answered(mischief: Option<Mischief>) -> Gate {
        let mut gate = Gate::new(PWD, false, mischief.as_slice());
        gate.handle_answer([HERE].into_iter());
        gate
    }

    fn nominating() -> Vec<u8> {
        request(false, true, PWD)
    }

    fn check(controlled: bool, pwd: &str) -> Vec<u8> {
        request(controlled, false, pwd)
    }

    fn request(controlled: bool, nominates: bool, pwd: &str) -> Vec<u8> {
        let request = StunMessageBuilder::new().binding().request().username("relay:agent").prio(1);
        let request = if controlled { request.ice_controlled(9) } else { request.ice_controlling(9) };
        let request = if nominates { request.use_candidate() } else { request };
        let hmac = str0m::crypto::from_feature_flags().sha1_hmac_provider;
        let mut bytes = vec![0; 200];
        let length = request
            .build(TransId::new())
            .to_bytes(Some(pwd.as_bytes()), &mut bytes, |key, parts| hmac.sha1_hmac(key, parts))
            .unwrap();
        bytes.truncate(length);
        bytes
    }
}
