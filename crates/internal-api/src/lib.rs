//! The protocol between ahoy's own processes.
//!
//! - [`order`]: requests to call-control, from the webhook, the media tasks and the reaper, and its replies.
//! - `client`, behind the feature of that name: sends orders to call-control by invoking the Lambda function, and has the outbox deliver.
//! - [`control_api`]: requests to a media task's control API, from call-control.
//! - [`outbox`]: what the outbox function is invoked with, from call-control and the media tasks.
//! - [`request_signature`]: how requests to the control API are signed.

#[cfg(feature = "client")]
pub mod client;
pub mod control_api;
pub mod order;
pub mod outbox;
pub mod request_signature;
