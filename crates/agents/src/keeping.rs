//! The most an agent may cost, and what is kept of its calls.

/// The most an agent may cost, and the most calls it takes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Caps {
    /// US dollars per day, the day being [`crate::Agent::day`]; `None` is no limit.
    pub dollars_a_day: Option<f64>,
    /// Calls by one caller in an hour; `None` is no limit.
    pub calls_an_hour: Option<u32>,
}

/// What is kept of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// Whether what was said is stored; on by default.
    pub transcripts: bool,
    /// For how many days; 30 by default.
    pub days: u32,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { transcripts: true, days: 30 }
    }
}
