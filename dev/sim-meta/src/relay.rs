//! The relay where the caller's media ends: one UDP socket, one WebRTC peer, one phone behind it.

mod datagram;
mod datagram_filter;
mod inspector;
mod keypad;
mod lateness;
mod microphone;
mod order;
mod packet_counter;
mod peer;
mod recorded;
mod replayer;
mod speaker;
mod speech;
mod speech_detector;
mod task;

pub(crate) use datagram_filter::Early;
pub(crate) use inspector::Inspector;
pub(crate) use keypad::Key;
pub(crate) use lateness::Lateness;
pub(crate) use microphone::{Microphone, PACE, Payload};
pub(crate) use order::Order;
pub(crate) use packet_counter::PacketCounter;
pub use packet_counter::PacketCounts;
pub(crate) use peer::Peer;
pub(crate) use task::Relay;
