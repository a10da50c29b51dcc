//! What the caller does: waits to be answered, listens, asks, asks again, interrupts, hangs up.

use phone::{Call, WaitError};
use std::time::Duration;
use tone::clips;

/// A business that does not pick up within this has lost its caller.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);

/// An agent that says nothing for so long has nothing to say.
const SPEAKS_WITHIN: Duration = Duration::from_secs(8);

/// The longest anybody speaks.
const SILENT_WITHIN: Duration = Duration::from_secs(20);

/// So long the caller listens before losing patience.
const LISTENS: Duration = Duration::from_millis(2_500);

/// Holds the conversation, from the ringing tone to the hang-up.
///
/// # Errors
/// What the caller waited for in vain.
pub(super) async fn hold(call: &Call) -> Result<(), WaitError> {
    call.answered(ANSWERED_WITHIN).await?;
    hear_out(call).await?;

    call.say(&clips::caller_question()).await?;
    hear_out(call).await?;

    call.say(&clips::caller_directions()).await?;
    call.agent_speaks(SPEAKS_WITHIN).await?;
    tokio::time::sleep(LISTENS).await;
    call.say(&clips::caller_interrupts()).await?;
    hear_out(call).await?;

    call.hang_up().await;
    Ok(())
}

async fn hear_out(call: &Call) -> Result<(), WaitError> {
    call.agent_speaks(SPEAKS_WITHIN).await?;
    call.agent_falls_silent(SILENT_WITHIN).await?;
    Ok(())
}
