//! The business's own system, simulated on loopback: it knows its customers and their orders, and takes the outcomes of calls.
//!
//! [`Business`] answers three kinds of request of ahoy's, and only those that are signed: who is calling (`POST /caller`), a tool
//! of the agent (`POST /orders`), and an outcome (`POST /calls`). Its reading of signatures and bodies is its own: it imports
//! nothing of the product. [`Fault`] is what it does wrong, by name.

mod business;
mod caller_lookup;
mod fault;
mod orders;
mod outcomes;
mod shared;
mod signature;

pub use business::{Business, KEY, KEY_NAME};
pub use caller_lookup::Lookup;
pub use fault::{Fault, UnknownFault};
pub use orders::ToolBehaviour;
pub use outcomes::Delivery;
