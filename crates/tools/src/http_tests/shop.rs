//! An operator's system on this machine, and an agent's tools that send requests to it.

use crate::{CallContext, ToolOutcome, ToolUse, Toolbox};
use agents::{HttpTool, Method, Tools};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The secret that the agent file calls `shop`.
pub(super) const KEY: &str = "a secret of the shop";

/// The operator's system: replies to requests, and records them.
pub(super) struct Shop {
    pub(super) address: SocketAddr,
    pub(super) asked: UnboundedReceiver<Asked>,
}

pub(super) struct Asked {
    pub(super) method: String,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Shop {
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (record, asked) = unbounded_channel();
        tokio::spawn(async move { axum::serve(listener, routes(record)).await });
        Self { address, asked }
    }

    pub(super) fn tool(&self, method: Method, path: &str) -> HttpTool {
        HttpTool {
            name: "lookup".into(),
            description: "Looks up an order.".into(),
            method,
            url: format!("http://{}{path}", self.address).parse().unwrap(),
            parameters: json!({
                "type": "object",
                "properties": {"order": {"type": "string"}, "note": {"type": "string"}},
                "required": ["order"],
            }),
            timeout: Duration::from_secs(10),
            headers: BTreeMap::from([("x-shop".into(), "2".into())]),
            sign_with: None,
            tells_caller: false,
            largest_reply: 16 * 1024,
        }
    }

    pub(super) fn toolbox(&self, tool: HttpTool) -> Toolbox {
        Toolbox::new(&tools(tool), &secrets()).unwrap()
    }

    pub(super) async fn ask(&self, tool: HttpTool, arguments: &Value) -> ToolOutcome {
        run(&self.toolbox(tool), arguments).await
    }

    /// Returns the next recorded request; each is recorded before its reply.
    pub(super) fn asked(&mut self) -> Asked {
        self.asked.try_recv().expect("the shop was asked")
    }

    pub(super) fn is_unasked(&mut self) -> bool {
        self.asked.try_recv().is_err()
    }
}

fn routes(record: UnboundedSender<Asked>) -> Router {
    let json = ([("content-type", "application/json")], "{ \"state\": \"ready\",\n \"price\": 12.50 }");
    let page = ([("content-type", "text/html")], "<pre>Traceback</pre>");
    let reason = format!("No such order.{}", " Really.".repeat(1000));
    let slow_body = || {
        let first = futures_util::stream::iter([Ok::<_, std::io::Error>("{")]);
        axum::body::Body::from_stream(futures_util::StreamExt::chain(first, futures_util::stream::pending()))
    };
    let endless = || {
        axum::body::Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("more ")))
    };
    let picture = ([("content-type", "image/png")], "\u{89}PNG");
    Router::new()
        .route(
            "/slow",
            any(|State(record): State<UnboundedSender<Asked>>, asked: Asked| async move {
                record.send(asked).ok();
                std::future::pending::<()>().await;
            }),
        )
        .route("/slow-body", any(move || async move { slow_body() }))
        .route("/long", get(|| async { "é".repeat(5000) }))
        .route("/endless", get(move || async move { endless() }))
        .route("/see/{status}", any(redirect))
        .route("/missing", any(move || async move { (StatusCode::NOT_FOUND, reason) }))
        .route("/broken", any(move || async move { (StatusCode::INTERNAL_SERVER_ERROR, page) }))
        .route("/plain", get(|| async { "It is ready.\n\"Green\" door.\n" }))
        .route(
            "/login",
            get(|| async { ([("content-type", "text/html; charset=utf-8")], "<h1>Log in</h1>") }),
        )
        .route("/login-as-text", get(|| async { "<!DOCTYPE html>\n<title>Log in</title>" }))
        .route("/nothing", any(|| async { StatusCode::NO_CONTENT }))
        .route("/picture", get(move || async move { picture }))
        .route(
            "/noise",
            get(|| async { ([("content-type", "text/plain")], vec![0xff, 0xfe, 0x00]).into_response() }),
        )
        .fallback(move |State(record): State<UnboundedSender<Asked>>, asked: Asked| async move {
            record.send(asked).ok();
            json
        })
        .with_state(record)
}

/// Replies with a status, and the `Location` that the query names, if any.
async fn redirect(Path(status): Path<u16>, uri: Uri) -> Response {
    let to = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("to="));
    let to = percent_decode_str(to.unwrap_or_default()).decode_utf8_lossy().into_owned();
    let status = StatusCode::from_u16(status).unwrap();
    if to.is_empty() { status.into_response() } else { (status, [("location", to)]).into_response() }
}

impl<S: Send + Sync> axum::extract::FromRequest<S> for Asked {
    type Rejection = axum::response::Response;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Self::Rejection> {
        let (head, body) = request.into_parts();
        let body = Bytes::from_request(axum::extract::Request::new(body), state)
            .await
            .map_err(|no| no.into_response())?;
        Ok(Self { method: head.method.to_string(), uri: head.uri, headers: head.headers, body })
    }
}

pub(super) fn tools(tool: HttpTool) -> Tools {
    let allowed_hosts = ["127.0.0.1", "localhost", "shop.example"].map(str::to_owned).into();
    Tools { allowed_hosts, http: vec![tool], ..Tools::default() }
}

pub(super) fn secrets() -> BTreeMap<String, secrecy::SecretString> {
    BTreeMap::from([("shop".to_owned(), KEY.into())])
}

pub(super) fn context() -> CallContext {
    CallContext::new("c0ffee", "15550100", "Mirsk")
}

pub(super) async fn run(toolbox: &Toolbox, arguments: &Value) -> ToolOutcome {
    ask_in(toolbox, arguments, &context()).await
}

pub(super) async fn ask_in(toolbox: &Toolbox, arguments: &Value, context: &CallContext) -> ToolOutcome {
    match toolbox.read("lookup", &arguments.to_string()) {
        Ok(ToolUse::Http(call)) => call.run(context, "call_1").await,
        other => panic!("{other:?}"),
    }
}
