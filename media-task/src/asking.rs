//! Asks call-control, a second time if the first fails.

use internal_api::client::CallControl;
use internal_api::order::{Order, Reply};
use std::time::Duration;

/// How long after a failed request call-control is asked once more.
const RETRY_AFTER: Duration = Duration::from_millis(300);

/// Sends an order that call-control may get twice, a second time if the first fails, and returns the reply.
///
/// # Errors
/// As [`CallControl::ask`], of the second request.
pub(crate) async fn ask_twice(control: &CallControl, order: &Order) -> anyhow::Result<Reply> {
    match control.ask(order).await {
        Ok(reply) => Ok(reply),
        Err(_) => {
            tokio::time::sleep(RETRY_AFTER).await;
            control.ask(order).await
        }
    }
}
