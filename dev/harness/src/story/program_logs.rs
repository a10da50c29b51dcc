//! The logs of a story's programs: lines of JSON.

use crate::Story;
use call::CallRef;
use serde_json::Value;

impl Story {
    /// Returns every line that is JSON, in the order of the processes that wrote them.
    pub fn logged(&self) -> Vec<Value> {
        let logs = self.stack.cloud.log_files();
        let texts = logs.iter().map(|log| std::fs::read_to_string(&log.path).expect("logs are text"));
        texts
            .flat_map(|text| {
                text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Returns the lines with events of a call.
    pub fn logged_of(&self, call_ref: &CallRef) -> Vec<Value> {
        let is_of_it = |line: &Value| line["call_ref"] == call_ref.as_str() && line.get("event").is_some();
        self.logged().into_iter().filter(is_of_it).collect()
    }

    /// Waits until the logged lines are as wished: media tasks write in the background.
    pub async fn has_logged(&self, wished: impl Fn(&[Value]) -> bool) {
        self.until("what was to be logged", async || wished(&self.logged())).await;
    }
}
