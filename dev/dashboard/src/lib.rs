//! Draws a CloudWatch dashboard from recorded lines of a log: the metrics in them, and its queries over them.
//!
//! Strict, so that the picture cannot tell what CloudWatch would not: a property, a statistic or an expression that it does not
//! know is an error, and so is a metric line of another form than ours. Percentiles are by nearest rank; CloudWatch's are near them.

mod board;
mod picture;
mod place;
mod recording;
mod statistic;

pub use board::{Board, Log, Metric, Row, Side, What, Widget};
pub use picture::svg;
pub use place::Place;
pub use recording::{Recording, Sample};
pub use statistic::{Point, Statistic};
