//! Orders to call-control, and its replies.

use anyhow::Context;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use futures_util::StreamExt;
use internal_api::order::{Order, Reply};
use std::fmt;

/// So many calls are ticked at the same time.
const AT_ONCE: usize = 16;

/// The process that had the order is dead, or has failed: it does nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessFailed(String);

impl fmt::Display for ProcessFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call-control failed: {}", self.0)
    }
}

impl std::error::Error for ProcessFailed {}

/// The function that acts on calls.
#[derive(Debug, Clone)]
pub struct CallControl {
    client: Client,
    function: String,
}

impl CallControl {
    /// The function of this name or ARN.
    pub fn new(client: Client, function: &str) -> Self {
        Self { client, function: function.to_owned() }
    }

    /// Has it look at a call, without waiting for it. Lambda keeps the order and tries it again.
    ///
    /// # Errors
    /// When Lambda does not take the order.
    pub async fn tick(&self, call_ref: String) -> anyhow::Result<()> {
        self.order(&Order::Tick { call_ref }).await
    }

    /// Gives it an order, without waiting for it. Lambda keeps the order and tries it again.
    ///
    /// # Errors
    /// When Lambda does not take the order.
    pub async fn order(&self, order: &Order) -> anyhow::Result<()> {
        let invoke = self.invoke(order).invocation_type(InvocationType::Event);
        invoke.send().await.context("cannot invoke call-control")?;
        Ok(())
    }

    /// Has it look at many calls, some at a time. How many orders Lambda did not take.
    pub async fn tick_all(&self, call_refs: Vec<String>) -> usize {
        let ticks = futures_util::stream::iter(call_refs).map(|call_ref| self.tick(call_ref));
        let taken: Vec<_> = ticks.buffer_unordered(AT_ONCE).collect().await;
        taken.into_iter().filter(Result::is_err).count()
    }

    /// Gives it an order and waits for the reply.
    ///
    /// # Errors
    /// When there is none; [`ProcessFailed`] when Lambda says so.
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
