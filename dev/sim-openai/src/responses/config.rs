//! The settings of the Responses API.

use serde_json::Value;
use std::time::Duration;

/// The settings of the Responses API.
#[derive(Debug, Clone)]
pub struct ResponsesConfig {
    /// The models that there are. Default: `gpt-6-luna`.
    pub models: Vec<String>,
    /// How long a response takes. Default: 50 ms.
    pub takes: Duration,
    /// What every response says, as JSON. Default: what is found in the text that was sent.
    pub answer: Option<Value>,
}

impl Default for ResponsesConfig {
    fn default() -> Self {
        Self { models: vec!["gpt-6-luna".to_owned()], takes: Duration::from_millis(50), answer: None }
    }
}
