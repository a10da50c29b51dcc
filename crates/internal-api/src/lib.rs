//! What ahoy's own processes say to each other.
//!
//! - [`order`]: what the webhook, the media tasks and the reaper ask of call-control.
//! - [`door`]: what call-control asks of a media task, at its door.
//! - [`seal`]: how a request at the door is signed.
//! - [`lease`]: what a media task writes into the registry, so that it can be found.
//! - [`mark`]: how one caller is told from another without saying who they are.
//! - [`keys`]: how the one DynamoDB table is keyed.

pub mod control_api;
pub mod keys;
pub mod lease;
pub mod order;
pub mod pseudonym;
pub mod request_signature;
