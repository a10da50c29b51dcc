//! Reports of benches and suites: tables as Markdown and CSV, pictures as SVG, and on which machine it was.
//!
//! - [`Table`]: rows under columns.
//! - [`Lines`]: figures over another figure, with a limit to hold.
//! - [`Bars`]: figures side by side, by category.
//! - [`Machine`]: where and when.
//!
//! Pictures are 800 by 450, dark on light, and their text is text: any browser shows it with a font of its own.

mod bars;
mod lines;
mod machine;
mod paper;
mod table;

pub use bars::Bars;
pub use lines::{Lines, Series};
pub use machine::Machine;
pub use table::Table;
