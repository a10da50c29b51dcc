//! A WhatsApp caller and Meta's cloud, simulated on 127.0.0.1.
//!
//! [`Meta`] is Graph, the sender of signed webhooks, and the relay where callers' media ends. [`Meta::ring`] lets
//! a caller ring; the [`Call`] it returns is that caller's phone: it speaks, listens, hangs up, and reports what the
//! business did wrong. What it is strict about, and what it can be made to do wrong, is in the crate's README.

pub mod business_records;
mod call;
mod call_faults;
mod call_webhooks;
mod clock;
mod cloud;
mod config;
mod external_call;
mod graph;
mod injected_fault;
mod journal;
mod meta;
mod observation;
mod offer;
mod offered;
mod protocol_violation;
mod random_faults;
mod record;
mod recorded_key;
mod relay;
mod replay;
mod report;
mod ringing;
mod sdp_check;
mod setup_fault;
mod shared_call;
mod signalling;
mod summary;
mod wacid;
mod webhook;

pub use business_records::{BusinessRecords, Permit};
pub use call::{Call, WaitError};
pub use cloud::BoxFuture;
pub use config::{CallerConfig, MetaConfig, Timers};
pub use external_call::ExternalCall;
pub use injected_fault::{InjectedFault, Side, UnknownFault};
pub use meta::Meta;
pub use observation::{Action, ActionName, Event, Observation, ObservationKind};
pub use offer::{OfferVariant, UnknownVariant};
pub use offered::NotAnOffer;
pub use protocol_violation::ProtocolViolation;
pub use record::{CallRecord, TriedAction};
pub use recorded_key::RecordedKey;
pub use relay::PacketCounts;
pub use replay::{Replay, Replaying};
pub use report::{CallReport, Percentiles, PressedKey, Terminated, Traffic, Turn};
pub use setup_fault::SetupFault;
pub use signalling::Ending;
pub use summary::Summary;
