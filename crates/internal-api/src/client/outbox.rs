//! The client of the outbox function.

use crate::outbox::DeliverCall;
use anyhow::Context;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use call::CallRef;

/// The outbox function.
#[derive(Debug, Clone)]
pub struct Outbox {
    client: Client,
    function: String,
}

impl Outbox {
    /// Returns a client of the function with this name or ARN.
    pub fn new(client: Client, function: &str) -> Self {
        Self { client, function: function.to_owned() }
    }

    /// Has the outbox deliver what is due of a call's events, without waiting for it. Whatever is lost on the way is delivered by the
    /// schedule.
    ///
    /// # Errors
    /// Returns an error when Lambda does not take the request.
    pub async fn deliver(&self, call_ref: CallRef) -> anyhow::Result<()> {
        let payload = serde_json::to_vec(&DeliverCall { call_ref }).expect("it has text keys");
        let invoke = self.client.invoke().function_name(&self.function).payload(Blob::new(payload));
        let invoke = invoke.invocation_type(InvocationType::Event);
        invoke.send().await.context("cannot invoke the outbox")?;
        Ok(())
    }
}
