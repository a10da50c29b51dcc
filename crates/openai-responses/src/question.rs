//! A request for an answer by a schema.

use serde_json::{Value, json};
use std::fmt;

/// The name of the schema, which the API demands and the model may read.
const SCHEMA_NAME: &str = "answer";

/// The most tokens of an answer, with those that the model thinks in. Far more than a summary and twenty fields need, and few enough that
/// a model is not still writing when it is no more waited for.
const LARGEST_ANSWER: u32 = 3_000;

/// A request for an answer by a schema.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// OpenAI's name of the model.
    pub model: &'a str,
    /// What the model is to do.
    pub instructions: &'a str,
    /// What it is to read.
    pub input: &'a str,
    /// The JSON Schema of the answer, within OpenAI's strict subset: an object, all of whose properties are required.
    pub schema: &'a Value,
}

/// How hard a model that reasons is to think: reading a transcript takes little.
const EFFORT: &str = "low";

impl Question<'_> {
    /// Returns the body of the request to a model that reasons.
    pub(crate) fn body(&self) -> Value {
        let mut body = self.plain_body();
        body["reasoning"] = json!({"effort": EFFORT});
        body
    }

    /// Returns the body of the request to a model that does not reason.
    pub(crate) fn plain_body(&self) -> Value {
        let Self { model, instructions, input, schema } = self;
        let format = json!({"type": "json_schema", "name": SCHEMA_NAME, "strict": true, "schema": schema});
        json!({
            "model": model,
            "instructions": instructions,
            "input": input,
            "max_output_tokens": LARGEST_ANSWER,
            "store": false,
            "text": {"format": format},
        })
    }
}

impl fmt::Debug for Question<'_> {
    /// Leaves out what is asked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("model", &self.model).finish_non_exhaustive()
    }
}
