//! Stories of the whole product: real processes, a real wire, nobody else's network.

mod calls;
mod kills;
mod mischief;
mod refusals;
mod serve;
mod settings;
