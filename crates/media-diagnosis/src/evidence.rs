//! Words for what was seen: one sentence for each verdict, with figures.

use crate::observations::{Observations, SendError};
use crate::stalls::TooLate;
use crate::{Diagnosis, Finding, MediaContext};
use std::time::{Duration, Instant};

/// Meta's code when the caller's client ended a call to which no sound of ours came.
pub const NO_MEDIA: u64 = 138_021;

/// Meta's word that our sound did not come through. `after` is how long the call had been accepted for.
pub fn not_reaching(after: Option<Duration>) -> Finding {
    let after = after.map(|after| format!(" {} after it was accepted", seconds(after))).unwrap_or_default();
    let evidence = format!(
        "Meta ended the call{after} with {NO_MEDIA}: for too long no sound of ours had come to the caller's end."
    );
    finding(Diagnosis::OurRtpNotReaching, evidence)
}

pub(crate) fn stalled(late: TooLate) -> Finding {
    let times = if late.times == 1 { "once".to_owned() } else { format!("{} times", late.times) };
    let evidence = format!(
        "The task ran late {times} within 10 s, by {} in all, and sent nothing meanwhile.",
        seconds(late.in_all)
    );
    finding(Diagnosis::ClockStalled, evidence)
}

pub(crate) fn found(
    verdict: Diagnosis,
    signs: &Observations,
    premises: &MediaContext,
    now: Instant,
) -> Finding {
    let evidence = match verdict {
        Diagnosis::NoStunAnswer if signs.connected.is_some() => vanished(signs, now),
        Diagnosis::NoStunAnswer => unanswered(signs, now) + ".",
        Diagnosis::CandidateUnreachable => {
            let why = premises.unreachable().unwrap_or_default();
            format!("{}, and {why}.", unanswered(signs, now))
        }
        Diagnosis::RoleConflict => format!(
            "The relay refused {} of {} STUN checks with 487, role conflict, and answered none.",
            signs.conflicts.times, signs.checks.times
        ),
        Diagnosis::PortBlocked => refused(signs, now),
        Diagnosis::DtlsNever => handshake(signs, now),
        Diagnosis::NoRtpIn => format!(
            "The line has been open for {} and no RTP has come, though {} other datagrams have; {} frames were sent.",
            since(signs.opened, now),
            signs.others.times,
            signs.rtp_out.times
        ),
        Diagnosis::WrongPayload => format!(
            "{} RTP packets have come, the last with payload type {}, and none with {}, which was agreed on.",
            signs.strays.times, signs.stray_type, premises.opus
        ),
        Diagnosis::CallerMuted => muted(signs, now),
        Diagnosis::OurRtpNotReaching | Diagnosis::ClockStalled => String::new(),
    };
    finding(verdict, evidence)
}

fn unanswered(signs: &Observations, now: Instant) -> String {
    let came = match signs.any.times {
        0 => "not one datagram came back".to_owned(),
        some => format!("no answer came back among {some} datagrams"),
    };
    format!(
        "{} STUN checks left in {} and {came}",
        signs.checks.times,
        seconds(now.saturating_duration_since(signs.began))
    )
}

fn vanished(signs: &Observations, now: Instant) -> String {
    format!(
        "Nothing has come for {}, after {} packets of the caller's sound; {} STUN checks since then have no answer.",
        since(signs.any.last, now),
        signs.rtp.times,
        signs.checks_since
    )
}

fn refused(signs: &Observations, now: Instant) -> String {
    let how = match signs.refusal {
        Some(SendError::Refused) => "the relay's host says that nobody listens at its port",
        Some(SendError::Unreachable) => "there is no way to the relay",
        Some(SendError::Forbidden) => "this host may not send to it",
        None => "nobody says why",
    };
    let (times, time) = (signs.refusals.times, since(signs.refusals.first, now));
    format!("{times} sends were refused in {time}, since {how}, and nothing ever came back.")
}

fn handshake(signs: &Observations, now: Instant) -> String {
    let (out, back) = (signs.dtls_out.times, signs.dtls_in.times);
    let back = if back == 0 { "none came back".to_owned() } else { format!("{back} came back") };
    let time = since(signs.answers.first, now);
    format!(
        "STUN checks have been answered for {time} and there are no keys: {out} DTLS datagrams left, {back}."
    )
}

fn muted(signs: &Observations, now: Instant) -> String {
    if crate::monitor::has_stopped(signs) {
        let (time, packets) = (since(signs.rtp.last, now), signs.rtp.times);
        return format!(
            "The caller's sound stopped {time} ago, after {packets} packets, and the line lives."
        );
    }
    let time = since(signs.audible.last.or(signs.opened), now);
    format!(
        "{} packets of the caller's sound have come, and for {time} there has been not a sound in them.",
        signs.rtp.times
    )
}

fn finding(verdict: Diagnosis, evidence: String) -> Finding {
    Finding { verdict, evidence, cure: verdict.cure().to_owned() }
}

fn since(at: Option<Instant>, now: Instant) -> String {
    seconds(at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at)))
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
