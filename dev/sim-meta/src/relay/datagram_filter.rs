//! Decides what the relay lets in, datagram by datagram, and what is wrong with the moment it comes.
//!
//! Meta's relay is ICE-lite and passive: it knows no peer before it has the answer, it answers checks and never sends
//! any, and until `accept` it passes no sound on. A relay with full ICE lets its peer see to the roles.

use super::datagram::{self, Kind};
use crate::{InjectedFault, ProtocolViolation};
use std::net::IpAddr;
use str0m::ice::StunMessage;

/// What the relay knows by now.
#[derive(Debug)]
pub(crate) struct DatagramFilter {
    pwd: String,
    full_ice: bool,
    faults: Vec<InjectedFault>,
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

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) route: Route,
    pub(crate) fault: Option<ProtocolViolation>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Drop,
    /// To the WebRTC peer.
    Pass,
    /// Nowhere; this goes back.
    Reply(Vec<u8>),
}

impl DatagramFilter {
    /// A filter that lets nothing in yet. `pwd` is the relay's ICE password.
    pub(crate) fn new(pwd: &str, full_ice: bool, faults: &[InjectedFault]) -> DatagramFilter {
        DatagramFilter {
            pwd: pwd.to_owned(),
            full_ice,
            faults: faults.to_vec(),
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

    pub(crate) fn handle_path(&mut self) {
        self.has_path = true;
    }

    pub(crate) fn has_path(&self) -> bool {
        self.has_path
    }

    pub(crate) fn open(&mut self) {
        self.open = true;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    pub(crate) fn early(&self) -> Early {
        self.early
    }

    pub(crate) fn judge(&mut self, datagram: &[u8], from: IpAddr) -> Decision {
        if self.faults.contains(&InjectedFault::AdvertisedOnly) && !self.advertised.contains(&from) {
            return Decision::dropped(None);
        }
        match datagram::kind(datagram) {
            Kind::Stun => self.judge_stun(datagram),
            Kind::Dtls => self.judge_dtls(datagram),
            Kind::Rtp if !self.open => {
                self.early.packets += 1;
                Decision::dropped(Some(ProtocolViolation::EarlyMedia))
            }
            Kind::Rtcp if !self.open => {
                self.early.reports += 1;
                if self.has_answer { Decision::pass(None) } else { Decision::dropped(None) }
            }
            Kind::Rtp if self.faults.contains(&InjectedFault::AgentUnheard) => Decision::dropped(None),
            Kind::Rtp | Kind::Rtcp => Decision::pass(None),
            Kind::Unknown => Decision::dropped(None),
        }
    }

    /// Checks may begin before the answer is there; they only get no reply.
    fn judge_stun(&self, datagram: &[u8]) -> Decision {
        if !self.has_answer || self.faults.contains(&InjectedFault::IceNever) {
            return Decision::dropped(None);
        }
        if let Some((reply, fault)) = self.role_conflict(datagram) {
            return Decision { route: Route::Reply(reply), fault };
        }
        if self.has_path && self.faults.contains(&InjectedFault::ChecksUnanswered) {
            return Decision::dropped(None);
        }
        if self.has_path && self.faults.contains(&InjectedFault::StrictRelay) && !nominates(datagram) {
            return Decision::dropped(Some(ProtocolViolation::CheckWithoutNomination));
        }
        Decision::pass(None)
    }

    fn judge_dtls(&self, datagram: &[u8]) -> Decision {
        if !self.has_answer {
            return Decision::dropped(Some(ProtocolViolation::EarlyClientHello));
        }
        if self.faults.contains(&InjectedFault::DtlsNever) {
            return Decision::dropped(None);
        }
        if !self.has_path {
            return Decision::pass(Some(ProtocolViolation::DtlsBeforeIce));
        }
        let lacks_profile = datagram::offers_aes_cm(datagram) == Some(false);
        Decision::pass(lacks_profile.then_some(ProtocolViolation::SrtpProfileMissing))
    }

    /// The 487 for an agent that will not control. str0m would compare tie-breakers and may give in; Meta does not.
    fn role_conflict(&self, datagram: &[u8]) -> Option<(Vec<u8>, Option<ProtocolViolation>)> {
        if self.full_ice {
            return None;
        }
        let request = StunMessage::parse(datagram).ok()?;
        let hmac = str0m::crypto::from_feature_flags().sha1_hmac_provider;
        let sign = |key: &[u8], parts: &[&[u8]]| hmac.sha1_hmac(key, parts);
        let is_controlled = request.ice_controlled().is_some();
        let conflicts = is_controlled || self.faults.contains(&InjectedFault::RoleConflict);
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
        Some((reply, is_controlled.then_some(ProtocolViolation::ControlledAgent)))
    }
}

/// Whether a message is a check with USE-CANDIDATE.
fn nominates(datagram: &[u8]) -> bool {
    StunMessage::parse(datagram).is_ok_and(|check| check.is_binding_request() && check.use_candidate())
}

impl Decision {
    fn dropped(fault: Option<ProtocolViolation>) -> Decision {
        Decision { route: Route::Drop, fault }
    }

    fn pass(fault: Option<ProtocolViolation>) -> Decision {
        Decision { route: Route::Pass, fault }
    }
}

#[cfg(test)]
#[path = "datagram_filter_tests.rs"]
mod tests;
