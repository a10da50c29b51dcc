//! The client of call-control: invokes the Lambda function with orders and returns its replies. And that of the outbox.

mod outbox;

pub use outbox::Outbox;

use crate::order::{Order, Reply};
use anyhow::Context;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use call::CallRef;
use futures_util::StreamExt;
use std::fmt;

/// The largest number of concurrent invocations of [`CallControl::tick_all`].
const AT_ONCE: usize = 16;

/// The function's process died or failed: it does nothing more for the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessFailed(String);

impl fmt::Display for ProcessFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call-control failed: {}", self.0)
    }
}

impl std::error::Error for ProcessFailed {}

/// The call-control function.
#[derive(Debug, Clone)]
pub struct CallControl {
    client: Client,
    function: String,
}

impl CallControl {
    /// Returns a client of the function with this name or ARN.
    pub fn new(client: Client, function: &str) -> Self {
        Self { client, function: function.to_owned() }
    }

    /// Has call-control perform what is due for a call, without waiting for it. Lambda queues the order and retries it.
    ///
    /// # Errors
    /// Returns an error when Lambda does not take the order.
    pub async fn tick(&self, call_ref: CallRef) -> anyhow::Result<()> {
        self.order(&Order::Tick { call_ref }).await
    }

    /// Sends an order without waiting for the reply. Lambda queues the order and retries it.
    ///
    /// # Errors
    /// Returns an error when Lambda does not take the order.
    pub async fn order(&self, order: &Order) -> anyhow::Result<()> {
        let invoke = self.invoke(order).invocation_type(InvocationType::Event);
        invoke.send().await.context("cannot invoke call-control")?;
        Ok(())
    }

    /// Has call-control perform what is due for many calls, and returns how many orders Lambda did not take.
    pub async fn tick_all(&self, call_refs: Vec<CallRef>) -> usize {
        let ticks = futures_util::stream::iter(call_refs).map(|call_ref| self.tick(call_ref));
        let taken: Vec<_> = ticks.buffer_unordered(AT_ONCE).collect().await;
        taken.into_iter().filter(Result::is_err).count()
    }

    /// Sends an order and returns the reply.
    ///
    /// # Errors
    /// Returns an error when there is no valid reply, and [`ProcessFailed`] when Lambda reports that the function failed.
    pub async fn ask(&self, order: &Order) -> anyhow::Result<Reply> {
        let invoke = self.invoke(order).invocation_type(InvocationType::RequestResponse);
        let output = invoke.send().await.context("cannot invoke call-control")?;
        if let Some(error) = output.function_error() {
            return Err(ProcessFailed(error.to_owned()).into());
        }
        let payload = output.payload.unwrap_or_else(|| Blob::new(vec![]));
        serde_json::from_slice(payload.as_ref()).context("call-control's reply is not one")
    }

    fn invoke(&self, order: &Order) -> aws_sdk_lambda::operation::invoke::builders::InvokeFluentBuilder {
        let payload = serde_json::to_vec(order).expect("an order has text keys");
        self.client.invoke().function_name(&self.function).payload(Blob::new(payload))
    }
}
