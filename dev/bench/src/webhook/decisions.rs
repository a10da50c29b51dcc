//! How soon a call on the SIP line is decided: from OpenAI's event to the accept. A carrier does not wait long.

use crate::figure::Figure;
use anyhow::Context;
use harness::telephone::{CALLER, DIALLED, TRUNK_KEY, TelephoneLine};
use harness::{Testbed, TestbedConfig};
use local::{Binaries, root};
use sim_openai::sip::{Action, CallSpec};
use std::time::Duration;
use store::call_ref;

/// The number of calls with warm functions.
const CALLS: usize = 30;

/// The number of calls with cold functions.
const STARTS: usize = 10;

/// The functions that a decision goes through.
const FUNCTIONS: [&str; 2] = ["webhook", "call-control"];

const WARM: Duration = Duration::from_millis(300);
const COLD: Duration = Duration::from_millis(1_500);

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Measures on a testbed with a SIP line.
pub(super) async fn measure(binaries: &Binaries) -> anyhow::Result<Vec<Figure>> {
    let mut config = TestbedConfig::rehearsal(root().join("target/bench-decisions"));
    config.telephone = Some(TelephoneLine::default());
    let testbed = Testbed::start(config, binaries).await?;
    let figures = of_testbed(&testbed).await;
    testbed.stop().await;
    figures
}

async fn of_testbed(testbed: &Testbed) -> anyhow::Result<Vec<Figure>> {
    decide(testbed).await?;
    let mut warm = vec![];
    for _ in 0..CALLS {
        warm.push(decide(testbed).await?);
    }
    let mut cold = vec![];
    for _ in 0..STARTS {
        for function in FUNCTIONS {
            testbed.stack.cloud.kill_function(function).await?;
        }
        cold.push(decide(testbed).await?);
    }
    Ok(vec![
        Figure::of_each("call by SIP: OpenAI's event → accept, warm, each", warm, WARM),
        Figure::of_each("call by SIP: OpenAI's event → accept, cold, each", cold, COLD),
    ])
}

/// Rings, and hangs up once the call is accepted. Returns the time from the event to the accept.
async fn decide(testbed: &Testbed) -> anyhow::Result<Duration> {
    let call = testbed.model.trunk().ring(CallSpec::new(CALLER, DIALLED).header("X-Ahoy-Key", TRUNK_KEY));
    call.answered(PATIENCE).await.context("a call was not accepted")?;
    // A delivery is in the report once it was answered.
    let sent = call
        .wait_even_after_the_end("the event", PATIENCE, |report| {
            report.deliveries.first().map(|first| first.at)
        })
        .await?;
    // A caller who leaves before the task is attached costs it five seconds.
    call.agent_speaks(PATIENCE).await.context("the agent was not heard")?;
    let report = call.report();
    let accepted = report.requests_for(Action::Accept).next().context("no one asked for an accept")?;
    call.hang_up();
    // The next one should find the functions idle.
    let call_ref = call_ref(&call.id());
    testbed.calls.settled(&call_ref, PATIENCE).await?;
    Ok(accepted.at.duration_since(sent))
}
