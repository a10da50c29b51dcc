//! The checks of a rehearsed call, each in words.

use super::{Evidence, sound};
use sim_meta::{CallReport, ProtocolViolation};
use std::fmt;

/// One thing that must be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The expectation, in words.
    pub what: String,
    /// What is wrong with it; `None` when it is right.
    pub wrong: Option<String>,
}

impl Check {
    /// Whether it is right.
    pub fn holds(&self) -> bool {
        self.wrong.is_none()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, wrong } = self;
        match wrong {
            None => write!(f, "✓ {what}"),
            Some(wrong) => write!(f, "✗ {what}: {wrong}"),
        }
    }
}

/// What every answered WhatsApp call must have in its journal.
const REQUIRED: [&str; 15] = [
    "WA_CALL_CONNECT",
    "WA_CALL_CLAIMED",
    "WA_CALL_ANSWERED",
    "WA_CALL_PRE_ACCEPTED",
    "WA_CALL_AGENT_READY",
    "WA_CALL_MEDIA_CONNECTED",
    "WA_CALL_ACCEPTED",
    "WA_CALL_OPENED",
    "WA_CALL_FIRST_WORD",
    "WA_CALL_TURN",
    "WA_CALL_INTERRUPTED",
    "WA_CALL_TOOL",
    "WA_CALL_USAGE",
    "WA_CALL_MEDIA",
    "WA_CALL_ENDED",
];

/// The product's claim of what was heard may be off by so much, ms.
const CLAIM_OFF_BY: i64 = 20;

pub(super) fn all(evidence: &Evidence<CallReport>) -> Vec<Check> {
    let first = conversation(evidence);
    if evidence.report.accepted.is_none() {
        // The call never had media: there is nothing else to judge.
        return vec![first];
    }
    vec![
        first,
        heard("the caller heard all that the agent said", &sound::by_caller(evidence)),
        heard("the agent heard all that the caller said", &sound::by_agent(evidence)),
        interruption(evidence),
        none("nothing was wrong on the wire", wire_faults(evidence)),
        none("nothing was wrong with the model's session", model_faults(evidence)),
        one_session(evidence),
        hung_up_by_agent(evidence),
        journal(evidence, &REQUIRED),
        tools(evidence),
        summary(evidence),
    ]
    .into_iter()
    .chain(evidence.business.as_ref().into_iter().flat_map(|business| business.checks(evidence)))
    .chain([none("the caller was sent no apology", vec!["a message was sent".to_owned(); evidence.messages])])
    .collect()
}

pub(super) fn conversation<R>(evidence: &Evidence<R>) -> Check {
    check("the conversation came to its end", evidence.cut_short.clone())
}

pub(super) fn heard(what: &str, heard: &sound::Heard) -> Check {
    let missing = heard.iter().filter(|(_, fit)| fit.is_none_or(|fit| fit < sim_audio::hearing::HEARD));
    let missing: Vec<String> = missing
        .map(|(clip, fit)| match fit {
            Some(fit) => format!("{clip} (fits {fit:.2})"),
            None => clip.clone(),
        })
        .collect();
    debug_assert_eq!(missing.is_empty(), sound::is_all_heard(heard));
    check(what, (!missing.is_empty()).then(|| format!("not heard: {}", missing.join(", "))))
}

fn interruption(evidence: &Evidence<CallReport>) -> Check {
    let what = "the model knows how much the caller heard";
    let wrong = match sound::claimed_too_much_ms(evidence) {
        Some(off) if off.abs() <= CLAIM_OFF_BY => None,
        Some(off) => Some(format!("its truncation was {off} ms off what the caller's phone played")),
        None => Some("no speech was interrupted".to_owned()),
    };
    check(what, wrong)
}

/// What was wrong with the agent's packets. On a busy machine, gaps and bursts are not the product's fault.
fn wire_faults(evidence: &Evidence<CallReport>) -> Vec<String> {
    let is_judged = |fault: &&ProtocolViolation| !is_about_time(fault) || evidence.disturbance.is_none();
    evidence.report.violations.iter().filter(is_judged).map(ToString::to_string).collect()
}

/// Whether a fault says that packets came late or in bunches.
pub(super) fn is_about_time(fault: &ProtocolViolation) -> bool {
    matches!(fault, ProtocolViolation::Gap(_) | ProtocolViolation::Burst(_))
}

pub(super) fn model_faults<R>(evidence: &Evidence<R>) -> Vec<String> {
    evidence.sessions.iter().flat_map(|session| session.violations.clone()).collect()
}

pub(super) fn one_session<R>(evidence: &Evidence<R>) -> Check {
    let sessions = evidence.sessions.len();
    check("one session with the model", (sessions != 1).then(|| format!("there were {sessions}")))
}

pub(super) fn hung_up_by_agent<R>(evidence: &Evidence<R>) -> Check {
    state(evidence, "the agent hung up", call::Ending::AgentSaidGoodbye)
}

pub(super) fn state<R>(evidence: &Evidence<R>, how: &str, ending: call::Ending) -> Check {
    let what = &format!("the table says that {how}, and nothing is left to do");
    let wrong = match &evidence.record {
        None => Some("it knows nothing of the call".to_owned()),
        Some(record) => {
            let call = &record.call;
            let ended_right = call.ending() == Some(ending);
            let is_right = ended_right && call.pending.is_empty() && call.due.is_none();
            (!is_right).then(|| format!("it says {:?}, pending {:?}", call.phase, call.pending))
        }
    };
    check(what, wrong)
}

/// The order was looked up at the shop, and the agent hung up: both as asked.
pub(super) fn tools<R>(evidence: &Evidence<R>) -> Check {
    let used = tools_used(evidence);
    let is_right = used == ["lookup_order: done", "end_call: done"] && evidence.orders == ["427"];
    let wrong = (!is_right)
        .then(|| format!("used: {}; the shop was asked for {:?}", used.join(", "), evidence.orders));
    check("the agent used its tools", wrong)
}

/// The tools that were used, each with its outcome.
pub(super) fn tools_used<R>(evidence: &Evidence<R>) -> Vec<String> {
    evidence.journal.iter().filter_map(|entry| outcome_of_tool(&entry.event)).collect()
}

fn outcome_of_tool(event: &journal::JournalEvent) -> Option<String> {
    match event {
        journal::JournalEvent::Tool { tool, outcome, .. } => Some(format!("{tool}: {outcome}")),
        _ => None,
    }
}

/// Who said what, and what it cost, is in the table.
pub(super) fn summary<R>(evidence: &Evidence<R>) -> Check {
    let what = "what was said and what it cost is kept";
    let lines = evidence.lines.len();
    let said = evidence.script.lines();
    let wrong = match &evidence.summary {
        None => Some("there is no summary".to_owned()),
        Some(summary) if summary.micro_dollars.is_none_or(|spent| spent == 0) => {
            Some("it cost nothing".to_owned())
        }
        Some(_) if lines != said => Some(format!("{lines} lines were kept of {said}")),
        Some(_) => None,
    };
    check(what, wrong)
}

pub(super) fn journal<R>(evidence: &Evidence<R>, required: &[&str]) -> Check {
    let names: Vec<String> = evidence.journal.iter().map(|entry| name(&entry.event)).collect();
    let missing: Vec<&str> =
        required.iter().copied().filter(|name| !names.iter().any(|known| known == name)).collect();
    check(
        "the journal tells the whole call",
        (!missing.is_empty()).then(|| format!("missing: {}", missing.join(", "))),
    )
}

fn name(event: &journal::JournalEvent) -> String {
    let json = serde_json::to_value(event).unwrap_or_default();
    json["event"].as_str().unwrap_or_default().to_owned()
}

pub(super) fn none(what: &str, wrong: Vec<String>) -> Check {
    check(what, (!wrong.is_empty()).then(|| wrong.join("; ")))
}

pub(super) fn check(what: &str, wrong: Option<String>) -> Check {
    Check { what: what.to_owned(), wrong }
}
