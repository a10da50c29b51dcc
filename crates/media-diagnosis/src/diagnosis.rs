//! The diagnoses of a call's media, each with its name and its remedy.

use std::fmt;

/// What is wrong with a call's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Diagnosis {
    /// None of our STUN checks is answered.
    NoStunAnswer,
    /// ICE role conflict: both sides want to control, and every check is refused with 487.
    RoleConflict,
    /// The relay cannot reach the address in our answer, or the offer has no candidate that we can reach.
    CandidateUnreachable,
    /// The network, or a host in it, rejects our datagrams.
    PortBlocked,
    /// ICE is done, but the DTLS handshake never completes.
    DtlsNever,
    /// DTLS is done, but no RTP comes.
    NoRtpIn,
    /// RTP comes, but with a payload type that was not negotiated.
    WrongPayload,
    /// The caller's RTP is silent, or has stopped while the connection is alive. The caller may have muted the phone.
    CallerMuted,
    /// Our RTP does not reach the caller, as Meta reports by error 138021.
    OurRtpNotReaching,
    /// The host does not run the task when it should.
    ClockStalled,
}

/// A diagnosis with its evidence and remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong with the call's media.
    pub verdict: Diagnosis,
    /// What was seen, in one sentence with figures. It names no caller.
    pub evidence: String,
    /// What to do about it, in one sentence.
    pub cure: String,
}

impl Diagnosis {
    /// All diagnoses.
    pub const ALL: [Diagnosis; 10] = [
        Diagnosis::NoStunAnswer,
        Diagnosis::RoleConflict,
        Diagnosis::CandidateUnreachable,
        Diagnosis::PortBlocked,
        Diagnosis::DtlsNever,
        Diagnosis::NoRtpIn,
        Diagnosis::WrongPayload,
        Diagnosis::CallerMuted,
        Diagnosis::OurRtpNotReaching,
        Diagnosis::ClockStalled,
    ];

    /// Returns the name that journals and `docs/media.md` use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoStunAnswer => "no_stun_answer",
            Self::RoleConflict => "role_conflict",
            Self::CandidateUnreachable => "candidate_unreachable",
            Self::PortBlocked => "port_blocked",
            Self::DtlsNever => "dtls_never",
            Self::NoRtpIn => "no_rtp_in",
            Self::WrongPayload => "wrong_payload",
            Self::CallerMuted => "caller_muted",
            Self::OurRtpNotReaching => "our_rtp_not_reaching",
            Self::ClockStalled => "clock_stalled",
        }
    }

    /// Returns what to do about it, in one sentence.
    pub fn cure(self) -> &'static str {
        match self {
            Self::NoStunAnswer => {
                "Allow UDP from the media task out to any address and its answers back in (security group, network ACL, \
                 route or NAT of its subnet), and check in the journal that Meta accepted our answer: before that it \
                 answers no check."
            }
            Self::RoleConflict => {
                "Check that nothing between Meta and the task rewrites the SDP: Meta is ICE-lite, so our answer must not \
                 say a=ice-lite, and we control."
            }
            Self::CandidateUnreachable => {
                "Set AHOY_PUBLIC_IP to the address at which the relay reaches this task, of the family of the offer's \
                 candidates, and AHOY_BIND_IP to 0.0.0.0 or to the interface behind it."
            }
            Self::PortBlocked => {
                "Open UDP on the way to the relay: allow all outbound UDP in security group, network ACL and host firewall, \
                 and give the subnet a route to the internet."
            }
            Self::DtlsNever => {
                "Look for a firewall that lets STUN through and drops DTLS or datagrams over 1,200 bytes, and for a proxy \
                 that changes a=setup or a=fingerprint of our answer."
            }
            Self::NoRtpIn => {
                "Have the caller try another phone or network first; if no call has audio, look for a firewall that closes \
                 the flow after DTLS, and check that the answer says a=sendrecv."
            }
            Self::WrongPayload => {
                "Compare the payload types of offer and answer: the answer must repeat the offer's number of Opus, and \
                 nothing on the way may transcode."
            }
            Self::CallerMuted => {
                "Nothing, if the caller has muted the phone; if all callers are silent, check WhatsApp's microphone \
                 permission on the phones."
            }
            Self::OurRtpNotReaching => {
                "Allow the task's UDP out for the whole call: look for a NAT or firewall that drops or remaps the flow after it \
                 began, and for a task that had no CPU to send."
            }
            Self::ClockStalled => {
                "Give the task more CPU or fewer slots (AHOY_SLOTS), and look for what stalls it: a paused virtual machine, \
                 exhausted CPU credits, swapping."
            }
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_diagnosis_has_a_unique_name_and_a_cure_of_one_sentence() {
        for (n, diagnosis) in Diagnosis::ALL.into_iter().enumerate() {
            assert!(Diagnosis::ALL[..n].iter().all(|other| other.as_str() != diagnosis.as_str()));
            let cure = diagnosis.cure();
            assert!(cure.ends_with('.') && !cure.contains(". ") && !cure.contains("  "), "{cure}");
        }
    }

    #[test]
    fn docs_media_explains_every_diagnosis() {
        let page = include_str!("../../../docs/media.md");
        for diagnosis in Diagnosis::ALL {
            assert!(
                page.contains(&format!("## `{diagnosis}`")),
                "docs/media.md does not explain {diagnosis}"
            );
        }
    }
}
