//! What can be wrong with a call's media, each by its name, and what is to be done about it.

use std::fmt;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Diagnosis {
    /// Nobody answers our STUN checks.
    NoStunAnswer,
    /// Both sides want to control: every check is refused with 487.
    RoleConflict,
    /// Nobody could reach the address that our answer gives, or we none of those in the offer.
    CandidateUnreachable,
    /// The network, or a host in it, refuses our datagrams.
    PortBlocked,
    /// ICE is done, and DTLS never.
    DtlsNever,
    /// DTLS is done, and no sound comes.
    NoRtpIn,
    /// What comes is not of a kind that was agreed on.
    WrongPayload,
    /// Sound comes, and there is nothing in it; or it has stopped while the line lives. The caller may have muted.
    CallerMuted,
    /// Our sound does not come through to the caller: Meta's 138021.
    OurRtpNotReaching,
    /// This machine does not let the task run when it should.
    ClockStalled,
}

/// A verdict, why, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub verdict: Diagnosis,
    /// What was seen, in one sentence with figures. It names no caller.
    pub evidence: String,
    /// What to do about it, in one sentence.
    pub cure: String,
}

impl Diagnosis {
    /// All there are.
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

    /// Its name, as journals and `docs/media.md` have it.
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

    /// What to do about it.
    pub fn cure(self) -> &'static str {
        match self {
            Self::NoStunAnswer => {
                "Let UDP from the media task out to any address and its answers back in (security group, network ACL, route \
                 or NAT of its subnet), and see in the journal that Meta took our answer: it replies to no check before."
            }
            Self::RoleConflict => {
                "See that nothing between Meta and the task rewrites the SDP: Meta is ICE-lite, so our answer must not say \
                 a=ice-lite and we control."
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
                "Let the caller try another phone or network first; if no call has sound, look for a firewall that closes \
                 the flow after DTLS, and see that the answer says a=sendrecv."
            }
            Self::WrongPayload => {
                "Compare the payload types of offer and answer: the answer must repeat the offer's number of Opus, and \
                 nothing on the way may transcode."
            }
            Self::CallerMuted => {
                "Nothing, if the caller has muted the phone; if all callers are silent, look at what WhatsApp may use on the \
                 phone (microphone permission)."
            }
            Self::OurRtpNotReaching => {
                "Let the task's UDP out for the whole call: look for a NAT or firewall that drops or remaps the flow after it \
                 began, and for a task that had no CPU to send."
            }
            Self::ClockStalled => {
                "Give the task more CPU or fewer slots (AHOY_SLOTS), and look for what stops it: a paused virtual machine, \
                 CPU credits used up, swapping."
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
    fn every_verdict_has_a_name_of_its_own_and_a_cure_of_one_sentence() {
        for (n, verdict) in Diagnosis::ALL.into_iter().enumerate() {
            assert!(Diagnosis::ALL[..n].iter().all(|other| other.as_str() != verdict.as_str()));
            let cure = verdict.cure();
            assert!(cure.ends_with('.') && !cure.contains(". ") && !cure.contains("  "), "{cure}");
        }
    }

    #[test]
    fn the_page_about_media_explains_every_verdict() {
        let page = include_str!("../../../docs/media.md");
        for verdict in Diagnosis::ALL {
            assert!(page.contains(&format!("## `{verdict}`")), "docs/media.md does not explain {verdict}");
        }
    }
}
