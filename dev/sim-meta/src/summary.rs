//! Sums a call up in a few lines: when it was answered, who spoke when, how it ended, and its violations.

use crate::{Call, CallReport, Ending, Turn};
use sim_audio::clips::{self, Clip};
use sim_audio::hearing::{HEARD, find};
use sim_audio::samples;
use std::fmt;
use std::time::{Duration, Instant};

/// How much earlier or later than its packets a turn may be in the recording.
const SLACK: Duration = Duration::from_millis(300);
/// A turn that is this much shorter than its sentence was cut short.
const CUT: Duration = Duration::from_millis(500);
/// Less than this could be the beginning of anything.
const SHORTEST: Duration = Duration::from_millis(400);

/// The summary of a call that is over.
#[derive(Debug, Clone)]
pub struct Summary {
    report: CallReport,
    /// When the phone rang: all times count from here.
    rang: Instant,
    /// Who began to say what, in order.
    spoken: Vec<(Instant, String)>,
}

impl Summary {
    /// Sums a call up. The agent's sentences are known by their recordings; without a recording of the call they have no names.
    pub fn of(call: &Call) -> Self {
        Self::new(call.report(), &call.recording(), call.said())
    }

    fn new(report: CallReport, recording: &[i16], said: Vec<(Instant, String)>) -> Self {
        let agent =
            report.agent_turns.iter().map(|turn| (turn.began, agents_words(&report, turn, recording)));
        let caller = said.into_iter().map(|(at, text)| (at, format!("caller  {}", name_of(&text))));
        let mut spoken: Vec<(Instant, String)> = agent.chain(caller).collect();
        spoken.sort_by_key(|(at, _)| *at);
        let first = spoken.first().map(|(at, _)| *at);
        let rang = report.posted.or(first).or(report.ended).unwrap_or_else(Instant::now);
        Self { report, rang, spoken }
    }

    fn since(&self, at: Instant) -> String {
        format!("{:.2} s", at.saturating_duration_since(self.rang).as_secs_f64())
    }

    fn milestones(&self) -> String {
        let report = &self.report;
        let named = [
            ("pre_accept", report.pre_accepted),
            ("accept", report.accepted),
            ("ICE", report.ice_connected),
            ("DTLS", report.dtls_connected),
            ("first packet", report.first_packet),
        ];
        let reached = named.into_iter().filter_map(|(name, at)| Some(format!("{name} {}", self.since(at?))));
        let reached: Vec<String> = reached.collect();
        if reached.is_empty() { "nothing came of it".to_owned() } else { reached.join(", ") }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.report;
        writeln!(f, "after the ring: {}", self.milestones())?;
        for (at, what) in &self.spoken {
            writeln!(f, "{:>10}  {what}", self.since(*at))?;
        }
        if let (Some(at), Some(ending)) = (report.ended, report.ending) {
            writeln!(f, "{:>10}  {}", self.since(at), ended(ending))?;
        }
        if let Some(terminated) = report.terminated {
            let code = terminated.code.map(|code| format!(", code {code}")).unwrap_or_default();
            let lasted = terminated.duration.map(|it| format!(", {} s", it.as_secs())).unwrap_or_default();
            writeln!(f, "terminate: {}{code}{lasted}", terminated.status)?;
        }
        let traffic = &report.traffic;
        let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
        writeln!(
            f,
            "packets: {} from the agent, longest gap {}, late by {} (p50), {} (p99); the phone's own: {}, late by {} (p99)",
            traffic.packets,
            ms(traffic.longest_gap),
            ms(traffic.lateness.p50),
            ms(traffic.lateness.p99),
            traffic.sent,
            ms(traffic.own_lateness.p99),
        )?;
        if report.messages > 0 {
            writeln!(f, "messages: {}", report.messages)?;
        }
        if report.violations.is_empty() {
            return f.write_str("faults: none");
        }
        let faults: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
        write!(f, "faults: {}", faults.join("; "))
    }
}

fn ended(ending: Ending) -> &'static str {
    match ending {
        Ending::CallerHungUp => "ended by the caller",
        Ending::Unanswered => "ended by Meta: not answered",
        Ending::Rejected => "ended by the business: rejected",
        Ending::Terminated => "ended by the business",
        Ending::NoMedia => "ended by Meta: no media (138021)",
        Ending::TimedOut => "ended by Meta: accepted too late (138007)",
    }
}

fn name_of(text: &str) -> String {
    let sentence = clips::all().into_iter().find(|clip| clip.text == text);
    sentence.map_or_else(|| "something else".to_owned(), |clip| clip.name)
}

/// The sentence that a turn of the agent sounds like.
fn agents_words(report: &CallReport, turn: &Turn, recording: &[i16]) -> String {
    let lasted = turn.ended.map(|ended| ended.saturating_duration_since(turn.began));
    let lasted = lasted.unwrap_or(Duration::MAX);
    let began = report.first_packet.map(|first| turn.began.saturating_duration_since(first));
    let Some(sentence) = began.and_then(|began| recognised(recording, began, lasted)) else {
        return "agent   something else".to_owned();
    };
    if lasted.saturating_add(CUT) < sentence.duration() {
        return format!("agent   {}, cut short after {:.1} s", sentence.name, lasted.as_secs_f64());
    }
    format!("agent   {}", sentence.name)
}

fn recognised(recording: &[i16], began: Duration, lasted: Duration) -> Option<Clip> {
    if lasted < SHORTEST {
        return None;
    }
    let from = samples(began.saturating_sub(SLACK)).min(recording.len());
    let until = began.checked_add(lasted)?.checked_add(SLACK)?;
    let heard = recording.get(from..samples(until).min(recording.len()))?;
    let likeness = |clip: &Clip| {
        let length = clip.samples.len().min(samples(lasted));
        find(&clip.samples[..length], heard).map(|found| found.correlation)
    };
    let long_enough = clips::all().into_iter().filter(|clip| clip.duration() + CUT >= lasted);
    let sentences = long_enough.filter_map(|clip| Some((likeness(&clip)?, clip)));
    let best = sentences.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= HEARD).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Terminated;

    #[test]
    fn a_summary_lists_events_in_order() {
        let rang = Instant::now();
        let at = |ms| rang + Duration::from_millis(ms);
        let (greeting, long) = (clips::agent_greeting(), clips::agent_long());
        let mut recording = vec![0; samples(Duration::from_millis(9_000))];
        put(&mut recording, 200, &greeting.samples);
        put(&mut recording, 7_000, &long.samples[..samples(Duration::from_millis(1_500))]);
        let turn = |from, until| Turn { began: at(from), ended: Some(at(until)) };
        let report = CallReport {
            posted: Some(rang),
            accepted: Some(at(950)),
            first_packet: Some(at(1_000)),
            agent_turns: vec![turn(1_200, 6_300), turn(8_000, 9_500)],
            ended: Some(at(10_000)),
            ending: Some(Ending::CallerHungUp),
            terminated: Some(Terminated {
                status: "COMPLETED",
                code: None,
                duration: Some(Duration::from_secs(9)),
            }),
            ..CallReport::default()
        };

        let summary = Summary::new(report, &recording, vec![(at(6_500), clips::caller_directions().text)]);

        let summary = summary.to_string();
        let lines: Vec<&str> = summary.lines().map(str::trim).collect();
        assert_eq!(lines[0], "after the ring: accept 0.95 s, first packet 1.00 s");
        assert_eq!(lines[1], "1.20 s  agent   agent-greeting");
        assert_eq!(lines[2], "6.50 s  caller  caller-directions");
        assert_eq!(lines[3], "8.00 s  agent   agent-long, cut short after 1.5 s");
        assert_eq!(lines[4..6], ["10.00 s  ended by the caller", "terminate: COMPLETED, 9 s"]);
        assert_eq!(lines.last(), Some(&"faults: none"));
    }

    #[test]
    fn a_short_sentence_within_a_turn_is_not_taken_for_it() {
        let mut turn = clips::agent_greeting().samples;
        put(&mut turn, 2_000, &clips::caller_mhm().samples);

        let sentence = recognised(&turn, Duration::ZERO, sim_audio::duration(turn.len()));

        assert_eq!(sentence.map(|clip| clip.name), Some("agent-greeting".to_owned()));
    }

    fn put(recording: &mut [i16], ms: u64, sound: &[i16]) {
        let from = samples(Duration::from_millis(ms));
        recording[from..from + sound.len()].copy_from_slice(sound);
    }
}
