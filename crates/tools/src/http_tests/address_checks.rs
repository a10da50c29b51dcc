//! Tests which hosts and addresses an HTTP tool connects to.

use super::shop::{Shop, run, secrets, tools};
use crate::{ToolError, ToolOutcome, ToolOutcomeKind, Toolbox};
use agents::{HttpTool, Method, Tools};
use operator_http::OperatorHttp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[tokio::test]
async fn a_host_that_is_not_allowed_gets_no_request() {
    let mut shop = Shop::open().await;
    let tools =
        Tools { allowed_hosts: vec!["shop.example".into()], ..tools(shop.tool(Method::Get, "/orders")) };

    let outcome = run(&Toolbox::new(&tools, &secrets()).unwrap(), &json!({"order": "7"})).await;

    assert_eq!((outcome.kind, outcome.trouble), (ToolOutcomeKind::Refused, Some(ToolError::Host)));
    assert!(shop.is_unasked());
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();

    let outcome = ask_by_name("https://shop.example", here, vec![here]).await;

    assert_eq!((outcome.kind, outcome.trouble), (ToolOutcomeKind::Refused, Some(ToolError::Address)));
    assert!(outcome.for_the_model.contains("not set up correctly"), "{}", outcome.for_the_model);
    assert!(is_quiet(listener));
}

#[tokio::test]
async fn an_https_request_is_never_sent_without_tls() {
    let mut shop = Shop::open().await;
    let mut tool = shop.tool(Method::Post, "/orders");
    tool.url.set_scheme("https").unwrap();

    let outcome = shop.ask(tool, &json!({"order": "7"})).await;

    assert_eq!((outcome.kind, outcome.trouble), (ToolOutcomeKind::Failed, Some(ToolError::Connection)));
    assert!(shop.is_unasked());
}

#[tokio::test]
async fn localhost_resolves_to_loopback_only() {
    let mut shop = Shop::open().await;
    // Not a loopback address, but it leads to this machine: nothing leaves it even if the check is broken.
    let any_address = SocketAddr::from(([0, 0, 0, 0], shop.address.port()));

    let here = ask_by_name("http://localhost", shop.address, vec![shop.address]).await;
    let any_address = ask_by_name("http://localhost", shop.address, vec![any_address]).await;

    assert_eq!(here.kind, ToolOutcomeKind::Done);
    assert_eq!(shop.asked().uri.path(), "/orders");
    assert_eq!(any_address.trouble, Some(ToolError::Address));
}

#[tokio::test]
async fn a_redirect_goes_through_the_same_address_check() {
    let mut shop = Shop::open().await;
    // Not a loopback address, but it leads to this machine: nothing leaves it even if the check is broken.
    let non_public = SocketAddr::from(([0, 0, 0, 0], shop.address.port()));
    let tool = shop.tool(Method::Post, &format!("/see/303?to=http://localhost:{}/orders", non_public.port()));
    let (resolver, mut lookups) = FixedResolver::resolving_to(vec![non_public]);
    let toolbox = resolved_by(resolver, tool);

    let outcome = run(&toolbox, &json!({"order": "7"})).await;

    assert_eq!((outcome.kind, outcome.trouble), (ToolOutcomeKind::Failed, Some(ToolError::RedirectFailed)));
    assert_eq!(lookups.try_recv().as_deref(), Ok("localhost"));
    assert!(shop.is_unasked());
}

#[tokio::test]
async fn the_checked_address_is_the_one_connected_to() {
    let shop = Shop::open().await;
    let (resolver, mut lookups) = FixedResolver::resolving_to(vec![shop.address]);
    let mut tool = shop.tool(Method::Get, "/orders");
    tool.url.set_host(Some("localhost")).unwrap();
    let toolbox = resolved_by(resolver, tool);

    assert_eq!(run(&toolbox, &json!({"order": "7"})).await.kind, ToolOutcomeKind::Done);

    assert_eq!(lookups.try_recv().as_deref(), Ok("localhost"));
    assert!(lookups.try_recv().is_err(), "one look-up for one connection");
}

#[tokio::test]
async fn a_get_without_a_connection_is_retried_once_unlike_a_post() {
    for (method, expected) in [(Method::Get, 2), (Method::Post, 1)] {
        let shop = Shop::open().await;
        let (resolver, mut lookups) = FixedResolver::resolving_to(vec![]);
        let mut tool = shop.tool(method, "/orders");
        tool.url.set_host(Some("localhost")).unwrap();
        let toolbox = resolved_by(resolver, tool);

        let outcome = run(&toolbox, &json!({"order": "7"})).await;

        assert_eq!(outcome.trouble, Some(ToolError::Connection));
        assert_eq!(std::iter::from_fn(|| lookups.try_recv().ok()).count(), expected);
    }
}

/// A resolver that gives the same addresses for every name, and records the names.
struct FixedResolver {
    found: Vec<SocketAddr>,
    looked_up: UnboundedSender<String>,
}

impl FixedResolver {
    fn resolving_to(found: Vec<SocketAddr>) -> (Arc<Self>, UnboundedReceiver<String>) {
        let (looked_up, lookups) = unbounded_channel();
        (Arc::new(Self { found, looked_up }), lookups)
    }
}

impl Resolve for FixedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        self.looked_up.send(name.as_str().to_owned()).ok();
        let found = self.found.clone();
        Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
    }
}

/// Sends a request to a host at the port of `shop`, with its name resolving to `found`.
async fn ask_by_name(host: &str, shop: SocketAddr, found: Vec<SocketAddr>) -> ToolOutcome {
    let url = format!("{host}:{}/orders", shop.port()).parse().unwrap();
    let tool = HttpTool { url, ..Shop::open().await.tool(Method::Get, "/orders") };
    let (resolver, _lookups) = FixedResolver::resolving_to(found);
    let toolbox = resolved_by(resolver, tool);
    run(&toolbox, &json!({"order": "7"})).await
}

/// Returns the toolbox of an agent with this tool, whose host's name is resolved by `resolver`.
fn resolved_by(resolver: Arc<FixedResolver>, tool: HttpTool) -> Toolbox {
    let client = || OperatorHttp::with_resolver(resolver);
    Toolbox::with_client(client, &tools(tool), &secrets()).unwrap()
}

/// Whether no connection was made to the listener.
pub(super) fn is_quiet(listener: TcpListener) -> bool {
    let accepted = listener.into_std().unwrap().accept();
    accepted.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}
