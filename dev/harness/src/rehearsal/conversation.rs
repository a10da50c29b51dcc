//! The script of both sides: the caller waits to be answered, listens, asks for an order, asks the way, interrupts, takes leave;
//! the model looks the order up, and hangs up.

use super::Parts;
use sim_audio::{Clip, clips};
use sim_meta::{Call, WaitError};
use sim_openai::{Reply, ReplyItem, Script};
use std::time::Duration;

/// A business that does not pick up within this has lost its caller.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);

/// How long an agent may be silent before its turn counts as over.
const SPEAKS_WITHIN: Duration = Duration::from_secs(8);

/// The longest utterance.
const SILENT_WITHIN: Duration = Duration::from_secs(20);

/// How long the caller listens before interrupting.
const LISTENS: Duration = Duration::from_millis(2_500);

/// What both have to say; the agent greets by name if it knows its callers.
pub(super) fn parts(knows_callers: bool) -> Parts {
    let mut agent = agents_part();
    if knows_callers {
        agent[0] = clips::agent_greeting_amina();
    }
    Parts { agent: agent.into(), caller: callers_part().into(), typed: 0 }
}

/// What the agent says, in its order.
pub(super) fn agents_part() -> [Clip; 6] {
    [
        clips::agent_greeting(),
        clips::agent_moment(),
        clips::agent_order(),
        clips::agent_long(),
        clips::agent_closing(),
        clips::agent_goodbye(),
    ]
}

/// What the caller says, in their order.
pub(super) fn callers_part() -> [Clip; 4] {
    [clips::caller_order(), clips::caller_directions(), clips::caller_interrupts(), clips::caller_thanks()]
}

pub(super) fn script() -> Script {
    let [greeting, moment, order, directions, closing, goodbye] = agents_part().map(Reply::speech);
    let mut looks_up = moment.and(call("lookup_order", r#"{ "order": "427" }"#));
    looks_up.after_tool = Some(Box::new(order));
    let takes_leave = goodbye.and(call("end_call", "{}"));
    Script { greeting, answers: vec![looks_up, directions, closing, takes_leave], ..Script::about_bikes() }
}

/// Holds the conversation, from the ringing tone until the agent hangs up.
pub(super) async fn hold(call: &Call) -> Result<(), WaitError> {
    let [order, directions, interrupts, thanks] = callers_part();
    call.answered(ANSWERED_WITHIN).await?;
    hear_out(call).await?;

    call.say(&order).await?;
    hear_out(call).await?;

    call.say(&directions).await?;
    call.agent_speaks(SPEAKS_WITHIN).await?;
    tokio::time::sleep(LISTENS).await;
    call.say(&interrupts).await?;
    hear_out(call).await?;

    call.say(&thanks).await?;
    call.agent_speaks(SPEAKS_WITHIN).await?;
    call.ended(SILENT_WITHIN).await?;
    Ok(())
}

async fn hear_out(call: &Call) -> Result<(), WaitError> {
    call.agent_speaks(SPEAKS_WITHIN).await?;
    call.agent_falls_silent(SILENT_WITHIN).await?;
    Ok(())
}

fn call(name: &str, arguments: &str) -> ReplyItem {
    ReplyItem::FunctionCall { name: name.to_owned(), arguments: arguments.to_owned() }
}
