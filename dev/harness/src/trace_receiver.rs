//! An OTLP receiver that takes traces, refuses them, or never answers.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Said;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;

/// The header that authorizes a client, as `OTEL_EXPORTER_OTLP_HEADERS` has it.
pub const HEADERS: &str = "x-planted-key=planted%20key";

/// How traces are received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// They are taken.
    Taken,
    /// They are refused for now: 503.
    Refused,
    /// They are read, and never answered.
    Hanging,
}

/// A received span.
#[derive(Debug, Clone)]
pub struct Span {
    /// The program that sent it.
    pub program: String,
    /// Hex.
    pub trace: String,
    /// Hex.
    pub id: String,
    /// Hex; empty if it has none.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// When it began, ns since 1970.
    pub from_ns: u64,
    /// When it ended, ns since 1970.
    pub to_ns: u64,
    /// Its attributes.
    pub fields: Map<String, Value>,
    /// The message of its error status.
    pub failure: Option<String>,
}

/// Receives traces on loopback until it is dropped.
#[derive(Debug)]
pub struct Collector {
    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub endpoint: String,
    desk: Arc<Desk>,
    _serving: JoinSet<std::io::Result<()>>,
}

#[derive(Debug)]
struct Desk {
    reception: Reception,
    requests: Mutex<Vec<ExportTraceServiceRequest>>,
    faults: Mutex<Vec<String>>,
}

impl Collector {
    /// Starts receiving.
    pub async fn open(reception: Reception) -> Self {
        let desk = Desk { reception, requests: Mutex::default(), faults: Mutex::default() };
        let desk = Arc::new(desk);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let router = Router::new().route("/v1/traces", post(receive)).with_state(desk.clone());
        let serving = JoinSet::from_iter([async move { axum::serve(listener, router).await }]);
        Self { endpoint, desk, _serving: serving }
    }

    /// Returns the received spans, in no order.
    pub fn spans(&self) -> Vec<Span> {
        let requests = self.desk.requests.lock().expect("no thread panics while receiving");
        requests.iter().flat_map(|request| &request.resource_spans).flat_map(spans_of).collect()
    }

    /// Returns the number of requests.
    pub fn times_asked(&self) -> usize {
        self.desk.requests.lock().expect("no thread panics while receiving").len()
    }

    /// Returns the violations of OTLP.
    pub fn faults(&self) -> Vec<String> {
        self.desk.faults.lock().expect("no thread panics while receiving").clone()
    }

    /// Returns the received spans as log lines, one JSON object each.
    pub fn as_lines(&self) -> String {
        let line = |span: Span| {
            let about = json!({ "name": span.name, "program": span.program, "failure": span.failure });
            format!("{about}\n{}\n", Value::Object(span.fields))
        };
        self.spans().into_iter().map(line).collect()
    }
}

async fn receive(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    for (name, expected) in [("content-type", "application/x-protobuf"), ("x-planted-key", "planted key")] {
        if header(name) != expected {
            desk.note_fault(format!("{name} is {:?}", header(name)));
        }
    }
    match ExportTraceServiceRequest::decode(body) {
        Ok(request) => desk.requests.lock().expect("no thread panics while receiving").push(request),
        Err(error) => desk.note_fault(error.to_string()),
    }
    match desk.reception {
        Reception::Taken => StatusCode::OK,
        Reception::Refused => StatusCode::SERVICE_UNAVAILABLE,
        Reception::Hanging => std::future::pending().await,
    }
}

impl Desk {
    fn note_fault(&self, fault: String) {
        self.faults.lock().expect("no thread panics while receiving").push(fault);
    }
}

fn spans_of(sent: &ResourceSpans) -> Vec<Span> {
    let resource = sent.resource.as_ref().map(|resource| fields(&resource.attributes)).unwrap_or_default();
    let program = resource["service.name"].as_str().expect("a service has a name").to_owned();
    let spans = sent.scope_spans.iter().flat_map(|scope| scope.spans.clone());
    let read = |span: opentelemetry_proto::tonic::trace::v1::Span| Span {
        program: program.clone(),
        trace: hex::encode(span.trace_id),
        id: hex::encode(span.span_id),
        parent: hex::encode(span.parent_span_id),
        name: span.name,
        from_ns: span.start_time_unix_nano,
        to_ns: span.end_time_unix_nano,
        fields: fields(&span.attributes),
        // 2 is an error: opentelemetry/proto/trace/v1/trace.proto.
        failure: span.status.filter(|status| status.code == 2).map(|status| status.message),
    };
    spans.map(read).collect()
}

fn fields(attributes: &[KeyValue]) -> Map<String, Value> {
    let field = |attribute: &KeyValue| (attribute.key.clone(), value(attribute.value.as_ref()));
    attributes.iter().map(field).collect()
}

fn value(said: Option<&AnyValue>) -> Value {
    match said.and_then(|said| said.value.as_ref()) {
        Some(Said::StringValue(text)) => json!(text),
        Some(Said::BoolValue(is_so)) => json!(is_so),
        Some(Said::IntValue(number)) => json!(number),
        Some(Said::ArrayValue(list)) => list.values.iter().map(|item| value(Some(item))).collect(),
        other => panic!("nothing of ours is said like this: {other:?}"),
    }
}
