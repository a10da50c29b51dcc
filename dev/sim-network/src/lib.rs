//! A network between a caller and a media task, in process: late, lossy, and the same for the same seed.
//!
//! A [`Path`] is one direction: datagrams in, and each out again when it arrives, if it does. It has no socket and no
//! clock. A [`Road`] is two of them between real sockets of this machine. What a network is like has a name:
//! [`Profile`].

mod chance;
mod character;
mod delay;
mod loss;
mod path;
mod profile;
mod road;

pub use character::{Break, Character, Meanwhile};
pub use delay::Swing;
pub use loss::Loss;
pub use path::{Direction, Path, Toll};
pub use profile::{Profile, UnknownProfile};
pub use road::Road;
