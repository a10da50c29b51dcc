//! The relay where the caller's media ends: one UDP socket, one WebRTC peer, one phone behind it.

mod datagram;
mod gate;
mod inspector;
mod keypad;
mod microphone;
mod peer;
mod speaker;
mod spread;
mod task;
mod voice;

pub(crate) use gate::Early;
pub(crate) use inspector::Inspector;
pub(crate) use keypad::Key;
pub(crate) use peer::Peer;
pub(crate) use spread::Lateness;
pub(crate) use task::{Order, Relay};
