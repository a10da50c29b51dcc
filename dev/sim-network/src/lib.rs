//! A network between a caller and a media task, in process: late, lossy, and the same for the same seed.
//!
//! A [`Path`] is one direction: datagrams in, and each out again when it arrives, if it does. It has no socket and no
//! clock. A [`NetworkRelay`] is two of them between real sockets of this machine. What a network is like has a name:
//! [`Profile`].

mod conditions;
mod cuttable;
mod delay;
mod loss;
mod network_relay;
mod path;
mod profile;
mod random_delay;

pub use conditions::{Break, Conditions, Meanwhile, Swing};
pub use cuttable::{Connection, CuttableListener, CuttableStream};
pub use loss::Loss;
pub use network_relay::NetworkRelay;
pub use path::{Direction, LinkCounts, Path};
pub use profile::{Profile, UnknownProfile};
