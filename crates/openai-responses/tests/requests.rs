//! Requests to an API on this machine, which takes what OpenAI's documents describe.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::extract::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use openai_responses::{Question, Responses, ResponsesError};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_question_is_strict_and_not_stored() {
    let answer = ask("gpt-6-luna").await.unwrap();

    let asked = answer.answer.unwrap()["asked"].as_str().unwrap().to_owned();
    assert_eq!(
        serde_json::from_str::<Value>(&asked).unwrap(),
        json!({"model": "gpt-6-luna", "instructions": "Read it.", "input": "caller: Hello", "max_output_tokens": 3000,
            "reasoning": {"effort": "low"}, "store": false, "text": {"format": {"type": "json_schema", "name": "answer", "strict": true, "schema": schema()}}})
    );
}

#[tokio::test]
async fn a_model_that_does_not_reason_is_asked_plainly() {
    let answer = ask("plain").await.unwrap();

    let asked = answer.answer.unwrap()["asked"].as_str().unwrap().to_owned();
    assert_eq!(serde_json::from_str::<Value>(&asked).unwrap().get("reasoning"), None);
}

#[tokio::test]
async fn an_unknown_model_is_refused_for_good() {
    let refused = ask("gpt-0").await.unwrap_err();

    assert_eq!(refused, ResponsesError::Refused { status: 404, code: "model_not_found".to_owned() });
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait() {
    let busy = ask("busy").await.unwrap_err();

    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(busy, ResponsesError::Busy { code: "rate_limit_exceeded".to_owned(), retry_after });
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"asked": {"type": "string"}}, "required": ["asked"],
        "additionalProperties": false})
}

async fn ask(model: &str) -> Result<openai_responses::Reply, ResponsesError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().route("/v1/responses", post(api));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let schema = schema();
    let question = Question { model, instructions: "Read it.", input: "caller: Hello", schema: &schema };
    Responses::new(&url, Duration::from_secs(5)).unwrap().ask(question, &"sk-key".into()).await
}

/// Answers with the request itself, as text in its JSON.
async fn api(headers: HeaderMap, Json(asked): Json<Value>) -> impl IntoResponse {
    assert_eq!(headers["authorization"], "Bearer sk-key");
    let error = |status, code: &str| {
        let error = json!({"code": code, "param": "reasoning.effort"});
        (status, [("retry-after", "7")], Json(json!({"error": error})))
    };
    match asked["model"].as_str().unwrap() {
        "plain" if asked.get("reasoning").is_some() => {
            error(StatusCode::BAD_REQUEST, "unsupported_parameter")
        }
        "busy" => error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded"),
        "gpt-0" => error(StatusCode::NOT_FOUND, "model_not_found"),
        _ => {
            let text = json!({"asked": asked.to_string()}).to_string();
            let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
            let output = json!([{"type": "message", "role": "assistant", "content": content}]);
            (StatusCode::OK, [("retry-after", "0")], Json(json!({"status": "completed", "output": output})))
        }
    }
}
