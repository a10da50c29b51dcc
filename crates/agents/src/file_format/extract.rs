//! The `[after.extract]` table.

use super::strict_schema::StrictSchema;
use crate::error::Fault;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extract {
    model: String,
    #[serde(default)]
    summary: bool,
    #[serde(default)]
    properties: Map<String, Value>,
}

impl Extract {
    pub(super) fn resolve(self) -> Result<crate::Extract, Fault> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if !(1..=128).contains(&self.model.len()) || !self.model.bytes().all(is_allowed) {
            return Err(Fault::new("after.extract.model", "must be the name of a text model of OpenAI"));
        }
        if !self.summary && self.properties.is_empty() {
            return Err(Fault::new("after.extract", "extracts nothing: add summary = true or properties"));
        }
        let properties = StrictSchema::default().properties("after.extract.properties", self.properties)?;
        Ok(crate::Extract { model: self.model, summary: self.summary, properties })
    }
}
