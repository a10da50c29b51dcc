//! A WhatsApp caller and Meta's cloud, simulated on 127.0.0.1.
//!
//! [`Meta`] is Graph, the sender of signed webhooks, and the relay where callers' media ends. [`Meta::ring`] lets
//! somebody call; the [`Call`] it returns is that caller's phone: it speaks, listens, hangs up, and reports what the
//! business did wrong. What it is strict about, and what it can be made to do wrong, is in the crate's README.

pub mod books;
mod call;
mod chance;
mod clock;
mod cloud;
mod config;
mod draw;
mod exchange;
mod fault;
mod foreign;
mod graph;
mod journal;
mod life;
mod line;
mod meta;
mod mischief;
mod offer;
mod offered;
mod plot;
mod posting;
mod record;
mod relay;
mod replay;
mod report;
mod sdp_check;
mod seen;
mod snag;
mod summary;
mod wacid;
mod webhook;

pub use books::{Books, Permit};
pub use call::{Call, RecordedKey, WaitError};
pub use cloud::BoxFuture;
pub use config::{CallerConfig, MetaConfig, Timers};
pub use fault::Fault;
pub use foreign::ForeignCall;
pub use life::Ending;
pub use meta::Meta;
pub use mischief::{Mischief, Side, UnknownMischief};
pub use offer::{OfferVariant, UnknownVariant};
pub use offered::NotAnOffer;
pub use record::{CallRecord, TriedAction};
pub use relay::Counted;
pub use replay::{Replay, Replaying};
pub use report::{CallReport, PressedKey, Spread, Terminated, Traffic, Turn};
pub use seen::{Action, ActionName, Event, Observation, Seen};
pub use snag::Snag;
pub use summary::Summary;
