//! Takes the outcomes of calls, each once, however often it comes.

use crate::Fault;
use crate::shared::{FromAhoy, Shared};
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sim_network::Connection;
use std::time::{Duration, Instant};

/// Longer than any client waits.
const SLOW: Duration = Duration::from_secs(60);

const TWO_MEGABYTES: usize = 2 << 20;

/// A delivery of an outcome, taken or not.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// When.
    pub at: Instant,
    /// The id of Standard Webhooks, the same in every try.
    pub id: String,
    /// The event, such as `call.ended`.
    pub event: String,
    /// The whole body.
    pub body: Value,
    /// The status of the answer; `None`: the connection broke before one left, or none has left yet.
    pub answered: Option<u16>,
    /// Whether an earlier delivery of this id was taken.
    pub is_duplicate: bool,
}

pub(crate) async fn take(
    State(shared): State<Shared>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: FromAhoy,
) -> Response {
    let FromAhoy { body, webhook_id, event } = request;
    let id = match webhook_id {
        Ok(id) => id,
        Err(why) => {
            shared.lock().forged += 1;
            return (StatusCode::UNAUTHORIZED, Json(json!({"error": why}))).into_response();
        }
    };
    let (answer, n) = {
        let mut state = shared.lock();
        for (what, said) in [("id", Some(&id)), ("event", event.as_ref())] {
            if said.map(String::as_str) != body[what].as_str() {
                state.complain(format!("the {what} of an outcome is not that of its header"));
            }
        }
        let answer = state.answer_to_outcome(&id, body["call"].as_str().unwrap_or_default());
        let is_taken = !matches!(answer, Answer::Status(400..));
        let is_duplicate = state.taken.contains(&id);
        if is_taken {
            state.taken.insert(id.clone());
        }
        let event = event.unwrap_or_default();
        let (at, answered) = (Instant::now(), None);
        state.deliveries.push(Delivery { at, id, event, body, answered, is_duplicate });
        (answer, state.deliveries.len() - 1)
    };
    let answered = |status: u16| {
        shared.lock().deliveries[n].answered = Some(status);
        shared.has_changed();
        StatusCode::from_u16(status).expect("it is one of ours")
    };
    match answer {
        Answer::Status(status) => answered(status).into_response(),
        Answer::Late => {
            shared.has_changed();
            tokio::time::sleep(SLOW).await;
            answered(200).into_response()
        }
        Answer::Lost => {
            connection.cut();
            shared.has_changed();
            StatusCode::OK.into_response()
        }
        Answer::Long => (answered(200), "a".repeat(TWO_MEGABYTES)).into_response(),
    }
}

/// How a delivery is answered.
enum Answer {
    Status(u16),
    Late,
    /// The connection breaks.
    Lost,
    Long,
}

impl crate::shared::State {
    fn answer_to_outcome(&self, id: &str, call: &str) -> Answer {
        let faults = self.faults_of(call);
        let has = |fault| faults.contains(&fault);
        let is_first = !self.deliveries.iter().any(|delivery| delivery.id == id);
        if has(Fault::After410) {
            return Answer::Status(410);
        }
        if is_first && has(Fault::After500Then200) {
            return Answer::Status(500);
        }
        if is_first && has(Fault::AfterLostReply) {
            return Answer::Lost;
        }
        if has(Fault::AfterSlow) {
            return Answer::Late;
        }
        if has(Fault::After2mbReply) {
            return Answer::Long;
        }
        Answer::Status(200)
    }
}
