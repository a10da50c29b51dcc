//! The protocol between ahoy's own processes.
//!
//! - [`order`]: requests to call-control, from the webhook, the media tasks and the reaper, and its replies.
//! - [`control_api`]: requests to a media task's control API, from call-control.
//! - [`request_signature`]: how requests to the control API are signed.
//! - [`lease`]: the lease by which a media task registers itself.
//! - [`pseudonym`]: how a caller is identified without saying who they are.
//! - [`keys`]: the keys of the one DynamoDB table.

pub mod control_api;
pub mod keys;
pub mod lease;
pub mod order;
pub mod pseudonym;
pub mod request_signature;
