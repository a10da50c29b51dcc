//! The simulator's Responses API, over plain HTTP.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use reqwest::{Client, Response};
use serde_json::{Value, json};
use sim_openai::{Config, InjectedFault, Realtime, ResponsesFault};

#[tokio::test]
async fn fills_in_a_schema_from_a_transcript() {
    let realtime = Realtime::start(Config::new("sk-test")).await.unwrap();

    let answer: Value = ask(&realtime, "sk-test", &request()).await.json().await.unwrap();

    assert_eq!((&answer["status"], &answer["store"]), (&json!("completed"), &json!(false)));
    let message = &answer["output"][1];
    let found: Value = serde_json::from_str(message["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(found, json!({"order": "427", "solved": false}));
    assert!(answer["usage"]["total_tokens"].as_u64().unwrap() > 0);
    let asked = realtime.responses();
    assert_eq!((asked.len(), asked[0].status, &asked[0].body), (1, Some(200), &request()));
    assert!(realtime.sessions().is_empty());
}

#[tokio::test]
async fn a_wrong_key_and_an_unknown_model_are_refused() {
    let realtime = Realtime::start(Config::new("sk-test")).await.unwrap();
    let mut other = request();
    other["model"] = json!("gpt-5-gone");

    let stranger = ask(&realtime, "sk-other", &request()).await;
    let gone = ask(&realtime, "sk-test", &other).await;

    assert_eq!((stranger.status().as_u16(), code(stranger).await), (401, "invalid_api_key".to_owned()));
    assert_eq!((gone.status().as_u16(), code(gone).await), (404, "model_not_found".to_owned()));
}

#[tokio::test]
async fn a_busy_service_says_when_to_come_again_and_then_answers() {
    let realtime = with(ResponsesFault::Busy).await;

    let busy = ask(&realtime, "sk-test", &request()).await;
    let again = ask(&realtime, "sk-test", &request()).await;

    assert_eq!(busy.headers()["retry-after"], "1");
    assert_eq!((busy.status().as_u16(), again.status().as_u16()), (429, 200));
    assert_eq!(realtime.responses()[0].code.as_deref(), Some("rate_limit_exceeded"));
}

#[tokio::test]
async fn what_is_cut_or_refused_is_no_json() {
    for (fault, status) in [
        (ResponsesFault::Truncated, "incomplete"),
        (ResponsesFault::OnlyReasons, "incomplete"),
        (ResponsesFault::Refuses, "completed"),
    ] {
        let realtime = with(fault).await;
        let answer: Value = ask(&realtime, "sk-test", &request()).await.json().await.unwrap();
        assert_eq!(answer["status"], status, "{fault:?}");
        let text = answer["output"][1]["content"][0]["text"].as_str().unwrap_or_default();
        assert!(serde_json::from_str::<Value>(text).is_err(), "{fault:?}: {answer}");
    }
}

async fn with(fault: ResponsesFault) -> Realtime {
    let config = Config { fault: Some(InjectedFault::Responses(fault)), ..Config::new("sk-test") };
    Realtime::start(config).await.unwrap()
}

async fn ask(realtime: &Realtime, key: &str, body: &Value) -> Response {
    let url = format!("{}/responses", realtime.rest_url());
    let request = Client::new().post(url).bearer_auth(key).json(body);
    request.send().await.unwrap()
}

async fn code(response: Response) -> String {
    let body: Value = response.json().await.unwrap();
    body["error"]["code"].as_str().unwrap().to_owned()
}

fn request() -> Value {
    json!({
        "model": "gpt-6-luna", "store": false, "instructions": "Fill in the form, order 999.",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "caller: my order is four two seven"}]}],
        "text": {"format": {"type": "json_schema", "name": "outcome", "strict": true, "schema": {
            "type": "object", "required": ["order", "solved"], "additionalProperties": false,
            "properties": {"order": {"type": ["string", "null"]}, "solved": {"type": "boolean"}},
        }}},
    })
}
