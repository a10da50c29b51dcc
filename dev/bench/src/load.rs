//! Many calls at once through one media task, by callers and a model that cost next to nothing themselves.
//!
//! - [`LoadBench`]: what the media task costs, and how punctual it is, from one call to many.
//! - [`Soak`]: thousands of calls in a row, and what they leave behind.

mod callers;
mod charts;
mod figures;
mod limits;
mod load_bench;
mod load_testbed;
mod model;
mod pinning;
mod process;
mod soak;
mod table;
mod window;

pub use figures::{Delay, LoadFigures};
pub use load_bench::LoadBench;
pub use pinning::leave_a_core_to_the_task;
pub use soak::{Sample, Soak, SoakReport};
pub use table::LoadTable;
