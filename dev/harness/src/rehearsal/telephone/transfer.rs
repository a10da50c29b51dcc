//! A telephone call that is transferred: the caller is greeted, asks, and wants what only a person can do; the agent says that it connects
//! them, and the carrier takes them over.

use super::super::checks::{self, Check, check, heard, none};
use super::super::{Evidence, Parts, sound};
use super::checks::{decided_once, one_sideband};
use super::conversation::hear_out;
use crate::telephone::TRANSFER_TARGET;
use sim_audio::{Clip, clips};
use sim_openai::sip::{Action, CallReport, CarrierEventKind, HungUpBy, PlacedCall, WaitError};
use sim_openai::{Reply, Script};
use std::time::Duration;

/// A call that is not answered within this is lost.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// From the caller's wish to the end of the call, words included.
const CONNECTED_WITHIN: Duration = Duration::from_secs(25);

/// What every transferred call must have in its journal.
const REQUIRED: [&str; 10] = [
    "WA_CALL_CONNECT",
    "WA_CALL_CLAIMED",
    "WA_CALL_ACCEPTED",
    "WA_CALL_OPENED",
    "WA_CALL_FIRST_WORD",
    "WA_CALL_TURN",
    "WA_CALL_TOOL",
    "WA_CALL_TRANSFERRED",
    "WA_CALL_USAGE",
    "WA_CALL_ENDED",
];

pub(super) fn parts() -> Parts {
    let agent = vec![clips::agent_greeting(), clips::agent_answer(), announcement()];
    Parts { agent, caller: vec![clips::caller_question(), clips::caller_directions()], typed: 0 }
}

pub(super) fn script() -> Script {
    let connects = Reply::speech(announcement()).and_call("transfer_call", "{}");
    let connects = connects.then(Reply::speech(clips::agent_sorry()));
    Script::new(Reply::speech(clips::agent_greeting()), [Reply::speech(clips::agent_answer()), connects])
}

/// What the agent says before it connects the caller.
fn announcement() -> Clip {
    clips::agent_moment()
}

/// Holds the conversation, until the carrier has taken the caller over.
pub(super) async fn hold(call: &PlacedCall) -> Result<(), WaitError> {
    call.answered(ANSWERED_WITHIN).await?;
    hear_out(call, 1).await?;
    call.say(&clips::caller_question());
    hear_out(call, 2).await?;
    call.say(&clips::caller_directions());
    call.over(CONNECTED_WITHIN).await?;
    Ok(())
}

pub(super) fn judge(evidence: &Evidence<CallReport>, complaints: Vec<String>) -> Vec<Check> {
    let report = &evidence.report;
    vec![
        checks::conversation(evidence),
        decided_once(report),
        heard("the caller heard all that the agent said", &sound::by_caller(evidence)),
        heard("the agent heard all that the caller said", &sound::by_agent(evidence)),
        announced(report),
        referred(report),
        taken_over(report),
        none("nothing was wrong at OpenAI", complaints),
        none("nothing was wrong with the model's session", checks::model_faults(evidence)),
        one_sideband(evidence),
        checks::state(evidence, "the call was transferred", call::Ending::Transferred),
        checks::journal(evidence, &REQUIRED),
        used_once(evidence),
        checks::summary(evidence),
        none("the caller was sent no message", vec!["a message was sent".to_owned(); evidence.messages]),
    ]
}

/// The agent's last words were played to their end before the carrier was asked.
fn announced(report: &CallReport) -> Check {
    let said = report.agent.last().filter(|speech| !speech.was_cut).and_then(|speech| speech.stopped);
    let asked = report.requests_for(Action::Refer).next().map(|request| request.at);
    let wrong = match (said, asked) {
        (_, None) => Some("no transfer was asked for".to_owned()),
        (Some(said), Some(asked)) if said <= asked => None,
        (_, Some(_)) => Some("the transfer was asked for before".to_owned()),
    };
    check("the agent's words were heard to their end", wrong)
}

fn referred(report: &CallReport) -> Check {
    let targets: Vec<_> =
        report.requests_for(Action::Refer).map(|request| &request.body["target_uri"]).collect();
    let is_right = targets == [TRANSFER_TARGET];
    let wrong = (!is_right).then(|| format!("it was asked for {} times, or to elsewhere", targets.len()));
    check("the transfer was asked for once, to the target of the agent's file", wrong)
}

fn taken_over(report: &CallReport) -> Check {
    let hangups = report.requests_for(Action::Hangup).filter(|request| request.took_effect).count();
    let is_over = report.ending().is_some_and(|end| end.kind == CarrierEventKind::Bye(HungUpBy::Transfer));
    let wrong = match (is_over, hangups) {
        (true, 0) => None,
        (true, _) => Some("the product hung up before".to_owned()),
        (false, _) => Some("the call did not end so".to_owned()),
    };
    check("the carrier took the caller over, and the product did not hang up before", wrong)
}

fn used_once(evidence: &Evidence<CallReport>) -> Check {
    let used = checks::tools_used(evidence);
    let wrong = (used != ["transfer_call: done"]).then(|| format!("used: {}", used.join(", ")));
    check("the agent used its tool", wrong)
}
