//! The checks of a rehearsed telephone call, each in words.

use super::super::checks::{self, Check, check, heard, none};
use super::super::{Evidence, sound};
use sim_openai::sip::{Action, CallReport};

/// What every answered call on the SIP line must have in its journal.
const REQUIRED: [&str; 11] = [
    "WA_CALL_CONNECT",
    "WA_CALL_CLAIMED",
    "WA_CALL_ACCEPTED",
    "WA_CALL_OPENED",
    "WA_CALL_FIRST_WORD",
    "WA_CALL_KEYS",
    "WA_CALL_TURN",
    "WA_CALL_INTERRUPTED",
    "WA_CALL_TOOL",
    "WA_CALL_USAGE",
    "WA_CALL_ENDED",
];

/// Judges a call by these checks, unless it was never answered: then there is nothing else to judge.
pub(super) fn all(
    evidence: &Evidence<CallReport>,
    complaints: Vec<String>,
    judge: fn(&Evidence<CallReport>, Vec<String>) -> Vec<Check>,
) -> Vec<Check> {
    if evidence.report.answered().is_none() {
        return vec![checks::conversation(evidence), none("nothing was wrong at OpenAI", complaints)];
    }
    judge(evidence, complaints)
}

pub(super) fn judge(evidence: &Evidence<CallReport>, complaints: Vec<String>) -> Vec<Check> {
    vec![
        checks::conversation(evidence),
        decided_once(&evidence.report),
        heard("the caller heard all that the agent said", &sound::by_caller(evidence)),
        heard("the agent heard all that the caller said", &sound::by_agent(evidence)),
        interruption(&evidence.report),
        goodbye(&evidence.report),
        none("nothing was wrong at OpenAI", complaints),
        none("nothing was wrong with the model's session", checks::model_faults(evidence)),
        one_sideband(evidence),
        checks::hung_up_by_agent(evidence),
        checks::journal(evidence, &REQUIRED),
        checks::tools(evidence),
        checks::summary(evidence),
        none("the caller was sent no message", vec!["a message was sent".to_owned(); evidence.messages]),
    ]
}

pub(super) fn decided_once(report: &CallReport) -> Check {
    let decisions = |action| report.requests_for(action).count();
    let (accepts, rejects) = (decisions(Action::Accept), decisions(Action::Reject));
    let wrong = format!("it was accepted {accepts} times and rejected {rejects} times");
    check("the call was accepted, once", ((accepts, rejects) != (1, 0)).then_some(wrong))
}

fn interruption(report: &CallReport) -> Check {
    let cut = report.agent.iter().filter(|speech| speech.was_cut).count();
    let wrong = (cut != 1).then(|| format!("the agent was cut short {cut} times"));
    check("the agent fell silent when the caller interrupted, and only then", wrong)
}

/// The agent's last words were played to their end before the product hung up.
fn goodbye(report: &CallReport) -> Check {
    let said = report.agent.last().filter(|speech| !speech.was_cut).and_then(|speech| speech.stopped);
    let hung_up = report.requests_for(Action::Hangup).next().map(|request| request.at);
    let wrong = match (said, hung_up) {
        (_, None) => Some("the product did not hang up".to_owned()),
        (Some(said), Some(hung_up)) if said <= hung_up => None,
        (_, Some(_)) => Some("the product hung up before".to_owned()),
    };
    check("the goodbye was heard to its end", wrong)
}

pub(super) fn one_sideband(evidence: &Evidence<CallReport>) -> Check {
    let attached = evidence.report.sockets_attached();
    let sessions = evidence.sessions.len();
    let wrong = format!("there were {sessions} sessions and {attached} sockets");
    check("one sideband at one session", ((sessions, attached) != (1, 1)).then_some(wrong))
}
