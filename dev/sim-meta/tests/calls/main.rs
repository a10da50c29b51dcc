//! Whole calls: a small business with a webhook and a WebRTC agent, against Meta and the caller's phone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod agent;
mod business;
mod by_hand;
mod calls;
mod graph_faults;
mod keys;
mod many;
mod media_faults;
mod refusals;
mod webhook_faults;
mod webhooks;
