//! Caps on an agent's spending, calls, messages and tool calls, and the retention of transcripts.

/// Caps on an agent's spending, calls, messages and tool calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Caps {
    /// US dollars per [`crate::Agent::day`]; `None` is no limit.
    pub dollars_a_day: Option<f64>,
    /// Calls by one caller in an hour; `None` is no limit.
    pub calls_an_hour: Option<u32>,
    /// Messages that the agent sends in a call; 5 by default.
    pub messages_a_call: u32,
    /// Messages that the agent sends to one caller in an hour; 10 by default.
    pub messages_an_hour: u32,
    /// Tool calls in a call; 100 by default.
    pub tools_a_call: u32,
    /// Tool calls for one caller in an hour; 300 by default.
    pub tools_an_hour: u32,
    /// Messages to one caller in an hour that explain why a call was rejected or dropped; 5 by default.
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

/// What is stored of a call, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// Whether transcripts are stored; on by default.
    pub transcripts: bool,
    /// The retention in days; 30 by default.
    pub days: u32,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { transcripts: true, days: 30 }
    }
}
