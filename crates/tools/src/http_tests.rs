//! HTTP tools against a real server on this machine.

use crate::{AT_ONCE, CallContext, Kind, Outcome, Toolbox, Trouble, Use};
use agents::{HttpTool, Method, Tools};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const KEY: &str = "a secret of the shop";

#[tokio::test]
async fn a_question_brings_its_answer() {
    let mut shop = Shop::open().await;

    let outcome = shop.ask(shop.tool(Method::Post, "/orders"), &json!({"order": "A-17"})).await;

    assert_eq!(outcome.kind, Kind::Done);
    assert_eq!(outcome.for_the_model, r#"{"state":"ready","price":12.50}"#);
    let asked = shop.asked();
    assert_eq!((asked.method.as_str(), asked.uri.path()), ("POST", "/orders"));
    let body =
        json!({"arguments": {"order": "A-17"}, "call": "c0ffee", "number": "15550100", "agent": "Mirsk"});
    assert_eq!(serde_json::from_slice::<Value>(&asked.body).unwrap(), body);
    assert_eq!(asked.headers["content-type"], "application/json");
    assert_eq!(asked.headers["x-ahoy-call"], "c0ffee");
    assert_eq!(asked.headers["x-shop"], "2");
}

#[tokio::test]
async fn every_method_is_sent_as_it_is_written() {
    let mut shop = Shop::open().await;
    for (method, name) in [
        (Method::Get, "GET"),
        (Method::Post, "POST"),
        (Method::Put, "PUT"),
        (Method::Patch, "PATCH"),
        (Method::Delete, "DELETE"),
    ] {
        let outcome = shop.ask(shop.tool(method, "/orders"), &json!({"order": "A-17"})).await;

        assert_eq!((outcome.kind, shop.asked().method.as_str()), (Kind::Done, name));
    }
}

#[tokio::test]
async fn a_get_has_its_arguments_in_path_and_query() {
    let mut shop = Shop::open().await;

    let arguments = json!({"order": "A 17?x=1", "note": "a&b=c"});
    let outcome = shop.ask(shop.tool(Method::Get, "/orders/{order}/state"), &arguments).await;

    assert_eq!(outcome.kind, Kind::Done);
    let asked = shop.asked();
    assert_eq!(asked.uri.to_string(), "/orders/A%2017%3Fx%3D1/state?note=a%26b%3Dc");
    assert_eq!(asked.body, "");
    assert!(!asked.headers.contains_key("content-type"));
}

#[tokio::test]
async fn the_signature_is_over_exactly_what_arrives() {
    let mut shop = Shop::open().await;
    let before = now_s();

    for (method, path) in [(Method::Post, "/orders/{order}?v=1"), (Method::Get, "/orders/{order}")] {
        let tool = HttpTool { sign_with: Some("shop".into()), ..shop.tool(method, path) };
        shop.ask(tool, &json!({"order": "né 7", "note": "x y"})).await;

        let asked = shop.asked();
        let time = asked.headers["x-ahoy-time"].to_str().unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        for part in [time, "\n", &asked.method, "\n", &asked.uri.to_string(), "\n"] {
            mac.update(part.as_bytes());
        }
        mac.update(&asked.body);
        let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        assert_eq!(asked.headers["x-ahoy-signature"].to_str().unwrap(), expected);
        assert!((before..=now_s()).contains(&time.parse().unwrap()));
    }
}

#[tokio::test]
async fn what_is_not_to_be_signed_is_not() {
    let mut shop = Shop::open().await;

    shop.ask(shop.tool(Method::Post, "/orders"), &json!({"order": "7"})).await;

    assert!(!shop.asked().headers.contains_key("x-ahoy-signature"));
}

#[tokio::test]
async fn a_slow_system_is_waited_for_until_the_timeout() {
    let shop = Shop::open().await;
    let timeout = Duration::from_millis(300);
    for path in ["/slow", "/slow-body"] {
        let started = Instant::now();

        let outcome =
            shop.ask(HttpTool { timeout, ..shop.tool(Method::Post, path) }, &json!({"order": "7"})).await;

        assert_eq!((outcome.kind, outcome.trouble), (Kind::TimedOut, Some(Trouble::Late(timeout))));
        assert!((timeout..timeout * 5).contains(&started.elapsed()), "{:?}", started.elapsed());
        assert!(outcome.for_the_model.contains("within 0.3 seconds"), "{}", outcome.for_the_model);
        assert!(outcome.for_the_model.contains("not known whether it was done"), "{}", outcome.for_the_model);
    }
}

#[tokio::test]
async fn a_long_reply_is_cut_and_says_so() {
    let shop = Shop::open().await;

    let outcome = shop
        .ask(HttpTool { largest_reply: 1000, ..shop.tool(Method::Get, "/long") }, &json!({"order": "7"}))
        .await;

    assert_eq!(outcome.kind, Kind::Done);
    let (told, note) = outcome.for_the_model.split_once('\n').unwrap();
    assert_eq!(told, "é".repeat(500));
    assert!(note.contains("cut off"), "{note}");
}

#[tokio::test]
async fn an_endless_reply_ends() {
    let shop = Shop::open().await;

    let outcome = shop.ask(shop.tool(Method::Get, "/endless"), &json!({"order": "7"})).await;

    assert_eq!(outcome.kind, Kind::Done);
    assert!(outcome.for_the_model.len() < 17 * 1024, "{}", outcome.for_the_model.len());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut shop = Shop::open().await;

    let outcome = shop.ask(shop.tool(Method::Get, "/moved"), &json!({"order": "7"})).await;

    assert_eq!(outcome.trouble, Some(Trouble::Status(303)));
    assert!(shop.is_unasked());
}

#[tokio::test]
async fn an_error_is_told_in_plain_words_with_its_reason() {
    let shop = Shop::open().await;

    let outcome = shop.ask(shop.tool(Method::Post, "/missing"), &json!({"order": "7"})).await;

    assert_eq!((outcome.kind, outcome.trouble), (Kind::Failed, Some(Trouble::Status(404))));
    assert!(outcome.for_the_model.contains("answered 404 (\"No such order."), "{}", outcome.for_the_model);
    assert!(outcome.for_the_model.contains("take a message"), "{}", outcome.for_the_model);
    assert!(outcome.for_the_model.len() < 500, "{}", outcome.for_the_model);
    assert!(!format!("{outcome:?}").contains("No such order"));
}

#[tokio::test]
async fn a_developers_page_is_not_told() {
    let shop = Shop::open().await;

    let outcome = shop.ask(shop.tool(Method::Post, "/broken"), &json!({"order": "7"})).await;

    assert_eq!(outcome.trouble, Some(Trouble::Status(500)));
    assert!(outcome.for_the_model.contains("answered 500."), "{}", outcome.for_the_model);
    assert!(outcome.for_the_model.contains("not known whether it was done"), "{}", outcome.for_the_model);
    assert!(!outcome.for_the_model.contains("Traceback"), "{}", outcome.for_the_model);
}

#[tokio::test]
async fn plain_text_and_nothing_are_fine_and_pictures_are_not() {
    let shop = Shop::open().await;

    let plain = shop.ask(shop.tool(Method::Get, "/plain"), &json!({"order": "7"})).await;
    let nothing = shop.ask(shop.tool(Method::Delete, "/nothing"), &json!({"order": "7"})).await;
    let picture = shop.ask(shop.tool(Method::Get, "/picture"), &json!({"order": "7"})).await;
    let noise = shop.ask(shop.tool(Method::Get, "/noise"), &json!({"order": "7"})).await;

    assert_eq!((plain.kind, plain.for_the_model.as_str()), (Kind::Done, "It is ready.\n\"Green\" door."));
    assert_eq!((nothing.kind, nothing.for_the_model.as_str()), (Kind::Done, "Done. The reply was empty."));
    assert_eq!((picture.kind, picture.trouble), (Kind::Failed, Some(Trouble::NotText)));
    assert_eq!((noise.kind, noise.trouble), (Kind::Failed, Some(Trouble::NotText)));
}

#[tokio::test]
async fn a_system_that_is_down_is_told_of() {
    let shop = Shop::open().await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let tool = HttpTool { url: format!("http://{nobody}/").parse().unwrap(), ..shop.tool(Method::Post, "/") };

    let outcome = shop.ask(tool, &json!({"order": "7"})).await;

    assert_eq!((outcome.kind, outcome.trouble), (Kind::Failed, Some(Trouble::Connection)));
    assert!(!outcome.for_the_model.contains("not known whether"), "{}", outcome.for_the_model);
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_question_is_not_asked_again() {
    for method in [Method::Get, Method::Post] {
        let shop = Shop::open().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let tool = HttpTool { url: url.parse().unwrap(), ..shop.tool(method, "/") };
        let rude = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            socket.readable().await.unwrap();
            drop(socket);
            listener
        });

        let outcome = shop.ask(tool, &json!({"order": "7"})).await;

        assert_eq!((outcome.kind, outcome.trouble), (Kind::Failed, Some(Trouble::Broken)));
        assert_eq!(outcome.for_the_model.contains("not known whether"), method == Method::Post);
        assert!(is_quiet(rude.await.unwrap()));
    }
}

#[tokio::test]
async fn wrong_arguments_never_leave() {
    let mut shop = Shop::open().await;
    let toolbox = shop.toolbox(shop.tool(Method::Get, "/orders/{order}"));

    for arguments in [
        "{}",
        r#"{"order": 7}"#,
        r#"{"order": "../admin"}"#,
        r#"{"order": "a/b"}"#,
        r#"{"order": ".."}"#,
        "[",
        "7",
    ] {
        let refused = toolbox.read("lookup", arguments).unwrap_err();

        assert_eq!(refused.trouble, Trouble::Arguments, "{arguments}");
    }
    assert!(shop.is_unasked());
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_never_asked() {
    let mut shop = Shop::open().await;
    let tools =
        Tools { allowed_hosts: vec!["shop.example".into()], ..tools(shop.tool(Method::Get, "/orders")) };

    let outcome = run(&Toolbox::new(&tools, &secrets()).unwrap(), &json!({"order": "7"})).await;

    assert_eq!((outcome.kind, outcome.trouble), (Kind::Refused, Some(Trouble::Host)));
    assert!(shop.is_unasked());
}

#[tokio::test]
async fn a_name_that_leads_inside_is_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();

    let outcome = ask_by_name("https://shop.example", here, vec![here]).await;

    assert_eq!((outcome.kind, outcome.trouble), (Kind::Refused, Some(Trouble::Address)));
    assert!(outcome.for_the_model.contains("not set up correctly"), "{}", outcome.for_the_model);
    assert!(is_quiet(listener));
}

#[tokio::test]
async fn a_server_without_tls_is_not_told_what_https_was_meant_for() {
    let mut shop = Shop::open().await;
    let mut tool = shop.tool(Method::Post, "/orders");
    tool.url.set_scheme("https").unwrap();

    let outcome = shop.ask(tool, &json!({"order": "7"})).await;

    assert_eq!((outcome.kind, outcome.trouble), (Kind::Failed, Some(Trouble::Connection)));
    assert!(shop.is_unasked());
}

#[tokio::test]
async fn localhost_leads_here_and_nowhere_else() {
    let mut shop = Shop::open().await;
    // Not a loopback address, but it leads to this machine: nothing leaves it even if the check is broken.
    let elsewhere = SocketAddr::from(([0, 0, 0, 0], shop.address.port()));

    let here = ask_by_name("http://localhost", shop.address, vec![shop.address]).await;
    let elsewhere = ask_by_name("http://localhost", shop.address, vec![elsewhere]).await;

    assert_eq!(here.kind, Kind::Done);
    assert_eq!(shop.asked().uri.path(), "/orders");
    assert_eq!(elsewhere.trouble, Some(Trouble::Address));
}

#[tokio::test]
async fn what_was_looked_up_is_what_is_connected_to() {
    let shop = Shop::open().await;
    let (names, mut lookups) = Names::leading_to(vec![shop.address]);
    let mut tool = shop.tool(Method::Get, "/orders");
    tool.url.set_host(Some("localhost")).unwrap();
    let toolbox = Toolbox::finding_hosts_by(names, &tools(tool), &secrets()).unwrap();

    assert_eq!(run(&toolbox, &json!({"order": "7"})).await.kind, Kind::Done);

    assert_eq!(lookups.try_recv().as_deref(), Ok("localhost"));
    assert!(lookups.try_recv().is_err(), "one look-up for one connection");
}

#[tokio::test]
async fn a_get_that_found_no_connection_is_asked_once_more_and_a_post_is_not() {
    for (method, expected) in [(Method::Get, 2), (Method::Post, 1)] {
        let shop = Shop::open().await;
        let (names, mut lookups) = Names::leading_to(vec![]);
        let mut tool = shop.tool(method, "/orders");
        tool.url.set_host(Some("localhost")).unwrap();
        let toolbox = Toolbox::finding_hosts_by(names, &tools(tool), &secrets()).unwrap();

        let outcome = run(&toolbox, &json!({"order": "7"})).await;

        assert_eq!(outcome.trouble, Some(Trouble::Connection));
        assert_eq!(std::iter::from_fn(|| lookups.try_recv().ok()).count(), expected);
    }
}

#[tokio::test]
async fn eight_tools_at_once_are_enough_for_a_call() {
    let mut shop = Shop::open().await;
    let toolbox = Arc::new(
        shop.toolbox(HttpTool { timeout: Duration::from_secs(5), ..shop.tool(Method::Get, "/slow") }),
    );
    let call = Arc::new(context());
    let under_way: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (toolbox, call) = (toolbox.clone(), call.clone());
            tokio::spawn(async move { ask_in(&toolbox, &json!({"order": "7"}), &call).await })
        })
        .collect();
    for _ in 0..AT_ONCE {
        shop.asked.recv().await.expect("the shop is open");
    }

    let ninth = ask_in(&toolbox, &json!({"order": "7"}), &call).await;

    assert_eq!((ninth.kind, ninth.trouble), (Kind::Refused, Some(Trouble::TooMany)));
    under_way.iter().for_each(tokio::task::JoinHandle::abort);
    for task in under_way {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    let tenth = ask_in(&shop.toolbox(shop.tool(Method::Get, "/orders")), &json!({"order": "7"}), &call).await;
    assert_eq!(tenth.kind, Kind::Done);
}

/// The operator's system: it answers, and tells what it was asked.
struct Shop {
    address: SocketAddr,
    asked: UnboundedReceiver<Asked>,
}

struct Asked {
    method: String,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Shop {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, asked) = unbounded_channel();
        tokio::spawn(async move { axum::serve(listener, answers(tell)).await });
        Self { address, asked }
    }

    fn tool(&self, method: Method, path: &str) -> HttpTool {
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
            largest_reply: 16 * 1024,
        }
    }

    fn toolbox(&self, tool: HttpTool) -> Toolbox {
        Toolbox::new(&tools(tool), &secrets()).unwrap()
    }

    async fn ask(&self, tool: HttpTool, arguments: &Value) -> Outcome {
        run(&self.toolbox(tool), arguments).await
    }

    /// What it was asked, of which it has told before it answered.
    fn asked(&mut self) -> Asked {
        self.asked.try_recv().expect("the shop was asked")
    }

    fn is_unasked(&mut self) -> bool {
        self.asked.try_recv().is_err()
    }
}

fn answers(tell: UnboundedSender<Asked>) -> Router {
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
            any(|State(tell): State<UnboundedSender<Asked>>, asked: Asked| async move {
                tell.send(asked).ok();
                std::future::pending::<()>().await;
            }),
        )
        .route("/slow-body", any(move || async move { slow_body() }))
        .route("/long", get(|| async { "é".repeat(5000) }))
        .route("/endless", get(move || async move { endless() }))
        .route("/moved", get(|| async { Redirect::to("/orders") }))
        .route("/missing", any(move || async move { (StatusCode::NOT_FOUND, reason) }))
        .route("/broken", any(move || async move { (StatusCode::INTERNAL_SERVER_ERROR, page) }))
        .route("/plain", get(|| async { "It is ready.\n\"Green\" door.\n" }))
        .route("/nothing", any(|| async { StatusCode::NO_CONTENT }))
        .route("/picture", get(move || async move { picture }))
        .route(
            "/noise",
            get(|| async { ([("content-type", "text/plain")], vec![0xff, 0xfe, 0x00]).into_response() }),
        )
        .fallback(move |State(tell): State<UnboundedSender<Asked>>, asked: Asked| async move {
            tell.send(asked).ok();
            json
        })
        .with_state(tell)
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

/// Names that all lead to the same place. It tells which were looked up.
struct Names {
    found: Vec<SocketAddr>,
    tell: UnboundedSender<String>,
}

impl Names {
    fn leading_to(found: Vec<SocketAddr>) -> (Arc<Self>, UnboundedReceiver<String>) {
        let (tell, lookups) = unbounded_channel();
        (Arc::new(Self { found, tell }), lookups)
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        self.tell.send(name.as_str().to_owned()).ok();
        let found = self.found.clone();
        Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
    }
}

/// Asks a host at the port of `shop`, with its name leading to `found`.
async fn ask_by_name(host: &str, shop: SocketAddr, found: Vec<SocketAddr>) -> Outcome {
    let url = format!("{host}:{}/orders", shop.port()).parse().unwrap();
    let tool = HttpTool { url, ..Shop::open().await.tool(Method::Get, "/orders") };
    let (names, _lookups) = Names::leading_to(found);
    let toolbox = Toolbox::finding_hosts_by(names, &tools(tool), &secrets()).unwrap();
    run(&toolbox, &json!({"order": "7"})).await
}

fn tools(tool: HttpTool) -> Tools {
    let allowed_hosts = ["127.0.0.1", "localhost", "shop.example"].map(str::to_owned).into();
    Tools { allowed_hosts, http: vec![tool], ..Tools::default() }
}

fn secrets() -> BTreeMap<String, secrecy::SecretString> {
    BTreeMap::from([("shop".to_owned(), KEY.into())])
}

fn context() -> CallContext {
    CallContext::new("c0ffee", "15550100", "Mirsk")
}

async fn run(toolbox: &Toolbox, arguments: &Value) -> Outcome {
    ask_in(toolbox, arguments, &context()).await
}

async fn ask_in(toolbox: &Toolbox, arguments: &Value, context: &CallContext) -> Outcome {
    match toolbox.read("lookup", &arguments.to_string()) {
        Ok(Use::Http(call)) => call.run(context).await,
        other => panic!("{other:?}"),
    }
}

/// Whether nobody has connected.
fn is_quiet(listener: TcpListener) -> bool {
    let accepted = listener.into_std().unwrap().accept();
    accepted.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
