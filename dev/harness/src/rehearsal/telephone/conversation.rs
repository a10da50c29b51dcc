//! The script of both sides of a telephone call.

use super::super::Parts;
use super::super::conversation::{agents_part, script as spoken_script};
use sim_audio::{Clip, clips};
use sim_openai::Script;
use sim_openai::sip::{CallReport, PlacedCall, WaitError};
use std::time::{Duration, Instant};

/// A call that is not answered within this is lost.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// The longest that the agent may take to answer, speech included.
const HEARD_WITHIN: Duration = Duration::from_secs(25);

/// How long the caller listens before interrupting.
const LISTENS: Duration = Duration::from_millis(2_500);

/// How long the agent is silent when it has finished.
const QUIET: Duration = Duration::from_millis(700);

/// What both have to say.
pub(super) fn parts() -> Parts {
    Parts { agent: agents_part().into(), caller: callers_part().into(), typed: 1 }
}

/// What the caller says, in order; the number of the order is typed.
fn callers_part() -> [Clip; 3] {
    [clips::caller_directions(), clips::caller_interrupts(), clips::caller_thanks()]
}

/// The script of a WhatsApp rehearsal, with the order looked up when its number is typed.
pub(super) fn script() -> Script {
    let mut script = spoken_script();
    let looks_up = script.answers.remove(0);
    script.on_message("427", looks_up)
}

/// Holds the conversation, from the ringing tone until the agent hangs up.
pub(super) async fn hold(call: &PlacedCall) -> Result<(), WaitError> {
    let [directions, interrupts, thanks] = callers_part();
    call.answered(ANSWERED_WITHIN).await?;
    hear_out(call, 1).await?;

    // The order is looked up in between.
    call.press("427#");
    hear_out(call, 3).await?;

    call.say(&directions);
    call.agent_speaks(HEARD_WITHIN).await?;
    tokio::time::sleep(LISTENS).await;
    call.say(&interrupts);
    hear_out(call, 5).await?;

    call.say(&thanks);
    call.over(HEARD_WITHIN).await?;
    Ok(())
}

/// Waits until the agent has spoken this often since the call was answered, and is silent.
pub(super) async fn hear_out(call: &PlacedCall, times: usize) -> Result<(), WaitError> {
    let finished = |report: &CallReport| {
        let stopped = report.agent.last().and_then(|speech| speech.stopped)?;
        (report.agent.len() >= times && stopped + QUIET <= Instant::now()).then_some(())
    };
    call.wait_until(&format!("what the agent says, number {times}"), HEARD_WITHIN, finished).await
}
