//! The JSON body of a request: the arguments, the call, and who calls where the file says so.

use crate::context::CallContext;
use call::{CallRef, NumberId};
use serde::Serialize;
use serde_json::{Map, Value};

/// The JSON body of a request.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    arguments: &'a Map<String, Value>,
    call: &'a CallRef,
    r#use: &'a str,
    number: &'a NumberId,
    agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Caller<'a>>,
}

/// Who calls. The keys are always there: what is not known is null.
#[derive(Serialize)]
struct Caller<'a> {
    number: Option<&'a str>,
    number_verified: bool,
    user_id: Option<&'a str>,
    name: Option<&'a str>,
}

impl<'a> Body<'a> {
    pub(super) fn new(arguments: &'a Map<String, Value>, context: &'a CallContext, use_id: &'a str) -> Self {
        let CallContext { call_ref, number, agent, .. } = context;
        Self { arguments, call: call_ref, r#use: use_id, number, agent, line: None, caller: None }
    }

    /// Adds who calls, and on which line.
    pub(super) fn telling_caller(self, context: &'a CallContext) -> Self {
        let Some((line, details)) = context.caller() else { return self };
        let caller = Caller {
            number: details.number.as_deref(),
            number_verified: details.number_verified,
            user_id: details.user_id.as_deref(),
            name: details.name.as_deref(),
        };
        Self { line: Some(line.name()), caller: Some(caller), ..self }
    }
}
