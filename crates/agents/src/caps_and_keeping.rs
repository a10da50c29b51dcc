//! The most an agent may cost, and what is kept of its calls.

/// The most an agent may cost, the most calls it takes, and how often it does what reaches outside the call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Caps {
    /// US dollars per day, the day being [`crate::Agent::day`]; `None` is no limit.
    pub dollars_a_day: Option<f64>,
    /// Calls by one caller in an hour; `None` is no limit.
    pub calls_an_hour: Option<u32>,
    /// Messages that the agent sends in a call; 5 by default.
    pub messages_a_call: u32,
    /// Messages that it sends to one caller in an hour; 10 by default.
    pub messages_an_hour: u32,
    /// Tools it uses in a call; 100 by default.
    pub tools_a_call: u32,
    /// Tools it uses for one caller in an hour; 300 by default.
    pub tools_an_hour: u32,
    /// Messages to one caller in an hour that say why a call was not taken, or broke off; 5 by default.
    pub notices_an_hour: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            dollars_a_day: None,
            calls_an_hour: None,
            messages_a_call: 5,
            messages_an_hour: 10,
            tools_a_call: 100,
            tools_an_hour: 300,
            notices_an_hour: 5,
        }
    }
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
