//! Telephone calls, met by a client that shares nothing with the simulator: a webhook, REST requests, sideband sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod control;
mod deciding;
mod ending;
mod endpoints;
mod gone_callers;
mod keys;
mod playback;
mod sideband;
mod webhook;
mod webhooks;

use client::Client;
use serde_json::{Value, json};
use sim_openai::Config;
use sim_openai::sip::{CallSpec, SipConfig};
use std::time::Duration;

const CALLER: &str = "+35699000001";
const DIALLED: &str = "+35621000000";

/// Everything else shares the machine with these tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// A service that takes no time of its own.
fn quick() -> Config {
    let sip = SipConfig {
        sideband_opens: Duration::ZERO..Duration::ZERO,
        hangup_takes: Duration::ZERO..Duration::from_millis(50),
        refer_takes: ms(100),
        first_retry: ms(50),
        accept_of_a_gone_caller: ms(200),
        ..SipConfig::default()
    };
    Config { thinking: ms(50), sip, ..Config::new("sk-test") }
}

fn call() -> CallSpec {
    CallSpec::new(CALLER, DIALLED)
}

/// The least that a call is accepted with.
fn session() -> Value {
    json!({"type": "realtime", "model": "gpt-realtime-2.1"})
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
