//! The simulator over real sockets.

mod client;
mod many;
mod socket;
