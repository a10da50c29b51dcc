//! Says why a call is silent. Sans-IO: what the wire shows goes in with the time it was seen, one [`Finding`] comes out.
//!
//! A call is set up in steps, and each step can be told from the wire alone: checks are answered, then DTLS records come,
//! then the keys are there, then sound comes, then it can be heard. The first step that does not happen is the cause, and
//! it is told once; what is missing after it is only missing because of it.
//!
//! | verdict | its signs | what tells it from its neighbours |
//! |---|---|---|
//! | [`PortBlocked`] | sends fail (refused, unreachable, forbidden) for 3 s, and nothing ever came in | somebody on the way says no; else there is only silence |
//! | [`RoleConflict`] | 487 in for 1.5 s, no success | the relay answers, always the same |
//! | [`CandidateUnreachable`] | no check has been answered for 8 s, and nobody could reach the address in our answer; or in 3 s there was nobody to check | the address: see [`Premises`] |
//! | [`NoStunAnswer`] | no check has been answered for 8 s; or in mid-call nothing at all has come for 10 s | none of those above |
//! | [`DtlsNever`] | a check was answered, and 3 s later there are no keys | ICE is done |
//! | [`NoRtpIn`] | the line is open with keys, and 5 s later no RTP at all has come | ICE and DTLS are done |
//! | [`WrongPayload`] | RTP for 1 s, and not a packet of it of a payload type we agreed to | RTP comes |
//! | [`CallerMuted`] | RTP has come, and stopped for 5 s while reports or STUN answers go on; or there has been not a sound in it for 20 s from the start, for 60 s later on | the line lives. No trouble for the call: it is only told |
//! | [`OurRtpNotReaching`] | Meta ends the call with 138021: see [`not_reaching`] | only Meta can tell |
//! | [`ClockStalled`] | the task woke up late, by 1 s in all within 10 s | needs no wire: time in which nothing could come counts for none of those above |
//!
//! [`PortBlocked`]: Verdict::PortBlocked
//! [`RoleConflict`]: Verdict::RoleConflict
//! [`CandidateUnreachable`]: Verdict::CandidateUnreachable
//! [`NoStunAnswer`]: Verdict::NoStunAnswer
//! [`DtlsNever`]: Verdict::DtlsNever
//! [`NoRtpIn`]: Verdict::NoRtpIn
//! [`WrongPayload`]: Verdict::WrongPayload
//! [`CallerMuted`]: Verdict::CallerMuted
//! [`OurRtpNotReaching`]: Verdict::OurRtpNotReaching
//! [`ClockStalled`]: Verdict::ClockStalled

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
