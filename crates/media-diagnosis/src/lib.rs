//! Diagnoses why a call is silent, sans-IO: observations of the wire go in with their time, one [`Finding`] comes
//! out.
//!
//! A call is set up in steps that show on the wire: STUN checks are answered, DTLS records come, the keys are there,
//! RTP comes, it is audible. The first step that does not happen is the cause, and is reported once; later steps are
//! missing only because of it.
//!
//! | diagnosis | observed | told from the others by |
//! |---|---|---|
//! | [`PortBlocked`] | sends fail (refused, unreachable, forbidden) for 3 s, and nothing ever came in | an error on send; the others are only silence |
//! | [`RoleConflict`] | 487 in for 1.5 s, no success | the relay answers, always the same |
//! | [`CandidateUnreachable`] | no check answered for 8 s, and the relay cannot reach the address in our answer; or for 3 s no candidate to check | the address: see [`MediaContext`] |
//! | [`NoStunAnswer`] | no check answered for 8 s; or in mid-call no datagram for 10 s | none of those above |
//! | [`DtlsNever`] | a check was answered, and 3 s later there are no keys | ICE is done |
//! | [`NoRtpIn`] | the line is open with keys, and 5 s later no RTP has come | ICE and DTLS are done |
//! | [`WrongPayload`] | RTP for 1 s, none of it with a negotiated payload type | RTP comes |
//! | [`CallerMuted`] | RTP has stopped for 5 s while RTCP or STUN answers go on; or it has been silent for 20 s from the start, for 60 s later on | the connection is alive. No failure: it is only reported |
//! | [`OurRtpNotReaching`] | Meta ends the call with 138021: see [`not_reaching`] | only Meta can tell |
//! | [`ClockStalled`] | the task woke up late, by 1 s in total within 10 s | needs no datagrams: stalls count against none of those above |
//!
//! [`PortBlocked`]: Diagnosis::PortBlocked
//! [`RoleConflict`]: Diagnosis::RoleConflict
//! [`CandidateUnreachable`]: Diagnosis::CandidateUnreachable
//! [`NoStunAnswer`]: Diagnosis::NoStunAnswer
//! [`DtlsNever`]: Diagnosis::DtlsNever
//! [`NoRtpIn`]: Diagnosis::NoRtpIn
//! [`WrongPayload`]: Diagnosis::WrongPayload
//! [`CallerMuted`]: Diagnosis::CallerMuted
//! [`OurRtpNotReaching`]: Diagnosis::OurRtpNotReaching
//! [`ClockStalled`]: Diagnosis::ClockStalled

mod diagnosis;
mod evidence;
mod monitor;
mod observations;
mod reachability;
mod stalls;

pub use diagnosis::{Diagnosis, Finding};
pub use evidence::{NO_MEDIA, not_reaching};
pub use monitor::MediaMonitor;
pub use observations::{AudioActivity, DatagramKind, SendError};
pub use reachability::MediaContext;
