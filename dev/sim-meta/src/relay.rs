//! The relay where the caller's media ends: one UDP socket, one WebRTC peer, one phone behind it.

mod datagram;
mod gate;
mod inspector;
mod keypad;
mod microphone;
mod peer;
mod recorded;
mod replayer;
mod speaker;
mod spread;
mod tally;
mod task;
mod voice;

pub(crate) use gate::Early;
pub(crate) use inspector::Inspector;
pub(crate) use keypad::Key;
pub(crate) use microphone::{Microphone, PACE, Payload};
pub(crate) use peer::Peer;
pub(crate) use spread::Lateness;
pub use tally::Counted;
pub(crate) use tally::Tally;
pub(crate) use task::{Order, Relay};
