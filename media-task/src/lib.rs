//! The media task.
pub mod answer;
pub mod offer;
pub mod peer;
