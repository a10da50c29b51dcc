//! The evidence of a finding: one sentence with figures for each diagnosis.

use crate::observations::{Observations, SendError};
use crate::stalls::TooManyStalls;
use crate::{Diagnosis, Finding, MediaContext};
use std::time::{Duration, Instant};

/// Meta's error code of a call that ended because none of our audio reached the caller.
pub const NO_MEDIA: u64 = 138_021;

/// Returns the finding of a call that Meta ended with [`NO_MEDIA`], `after` this time since it was accepted.
pub fn not_reaching(after: Option<Duration>) -> Finding {
    let after = after.map(|after| format!(" {} after it was accepted", seconds(after))).unwrap_or_default();
    let evidence = format!(
        "Meta ended the call{after} with {NO_MEDIA}: for too long none of our audio had reached the caller."
    );
    finding(Diagnosis::OurRtpNotReaching, evidence)
}

pub(crate) fn stalled(late: TooManyStalls) -> Finding {
    let times = if late.times == 1 { "once".to_owned() } else { format!("{} times", late.times) };
    let evidence = format!(
        "The task ran late {times} within 10 s, by {} in total, and sent nothing meanwhile.",
        seconds(late.total)
    );
    finding(Diagnosis::ClockStalled, evidence)
}

pub(crate) fn finding_for(
    diagnosis: Diagnosis,
    observations: &Observations,
    context: &MediaContext,
    now: Instant,
) -> Finding {
    let evidence = match diagnosis {
        Diagnosis::NoStunAnswer if observations.connected.is_some() => vanished(observations, now),
        Diagnosis::NoStunAnswer => unanswered(observations, now) + ".",
        Diagnosis::CandidateUnreachable => {
            let why = context.unreachable().unwrap_or_default();
            format!("{}, and {why}.", unanswered(observations, now))
        }
        Diagnosis::RoleConflict => format!(
            "The relay refused {} of {} STUN checks with 487, role conflict, and answered none.",
            observations.conflicts.times, observations.checks.times
        ),
        Diagnosis::PortBlocked => refused(observations, now),
        Diagnosis::DtlsNever => handshake(observations, now),
        Diagnosis::NoRtpIn => format!(
            "The line has been open for {} and no RTP has come, though {} other datagrams have; {} frames were sent.",
            since(observations.opened, now),
            observations.others.times,
            observations.rtp_out.times
        ),
        Diagnosis::WrongPayload => format!(
            "{} RTP packets have come, the last with payload type {}, and none with {}, which was negotiated.",
            observations.wrong_payload.times, observations.wrong_payload_type, context.opus
        ),
        Diagnosis::CallerMuted => muted(observations, now),
        Diagnosis::OurRtpNotReaching | Diagnosis::ClockStalled => String::new(),
    };
    finding(diagnosis, evidence)
}

fn unanswered(observations: &Observations, now: Instant) -> String {
    let came = match observations.any.times {
        0 => "no datagram came back".to_owned(),
        some => format!("no answer came back among {some} datagrams"),
    };
    format!(
        "{} STUN checks left in {} and {came}",
        observations.checks.times,
        seconds(now.saturating_duration_since(observations.began))
    )
}

fn vanished(observations: &Observations, now: Instant) -> String {
    format!(
        "Nothing has come for {}, after {} RTP packets of the caller; {} STUN checks since then were not answered.",
        since(observations.any.last, now),
        observations.rtp.times,
        observations.checks_since
    )
}

fn refused(observations: &Observations, now: Instant) -> String {
    let how = match observations.refusal {
        Some(SendError::Refused) => "the relay's host reports its port closed",
        Some(SendError::Unreachable) => "there is no route to the relay",
        Some(SendError::Forbidden) => "this host may not send to it",
        None => "no reason was given",
    };
    let (times, time) = (observations.refusals.times, since(observations.refusals.first, now));
    format!("{times} sends failed in {time} because {how}, and nothing came back.")
}

fn handshake(observations: &Observations, now: Instant) -> String {
    let (out, back) = (observations.dtls_out.times, observations.dtls_in.times);
    let back = if back == 0 { "none came back".to_owned() } else { format!("{back} came back") };
    let time = since(observations.answers.first, now);
    format!(
        "STUN checks have been answered for {time} and DTLS is not done: {out} DTLS datagrams left, {back}."
    )
}

fn muted(observations: &Observations, now: Instant) -> String {
    if observations.has_stopped() {
        let (time, packets) = (since(observations.rtp.last, now), observations.rtp.times);
        return format!(
            "The caller's RTP stopped {time} ago, after {packets} packets, but the connection is alive."
        );
    }
    let time = since(observations.audible.last.or(observations.opened), now);
    format!(
        "{} RTP packets of the caller have come, and for {time} they have been silent.",
        observations.rtp.times
    )
}

fn finding(diagnosis: Diagnosis, evidence: String) -> Finding {
    Finding { verdict: diagnosis, evidence, cure: diagnosis.cure().to_owned() }
}

fn since(at: Option<Instant>, now: Instant) -> String {
    seconds(at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at)))
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
