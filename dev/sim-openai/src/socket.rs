//! Carries the events of one connection between its socket and its session.

use crate::InjectedFault;
use crate::http;
use crate::session::{Output, Session};
use crate::session_registry::{SessionRegistry, Shared};
use crate::sip::{Exchange, sideband};
use crate::upgrade::{UpgradeDecision, UpgradeHandler};
use futures_util::{SinkExt, StreamExt};
use std::future::pending;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};
use tracing::info;

/// An append of 15 MiB, in base64, with room for its JSON.
const LARGEST_MESSAGE: usize = 21 << 20;
/// How long a client may take to answer a close frame.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Serves one connection until it is over.
pub(crate) async fn serve(
    stream: TcpStream,
    connection: usize,
    registry: &Arc<SessionRegistry>,
    exchange: &Arc<Exchange>,
) {
    let fault = registry.fault_of(connection);
    if fault == Some(InjectedFault::NeverAnswers) {
        return pending().await;
    }
    if http::is_asked_for(&stream).await {
        return http::serve(stream, fault, registry, exchange).await;
    }
    match upgrade(stream, connection, fault, registry, exchange).await {
        Ok((mut socket, Upgraded::Session(session))) => {
            let why = converse(&mut socket, &session, registry).await;
            session.lock().handle_close(why, Instant::now());
            publish_observations(&session, registry);
        }
        Ok((mut socket, Upgraded::Sideband(call_id))) => {
            let call = exchange.find(&call_id);
            let attached = call.and_then(|call| Some((call.step(|call| call.attach(Instant::now()))?, call)));
            // Between the upgrade and this the call may have ended.
            if let Some((orders, call)) = attached {
                sideband::watch(&mut socket, &call, orders, registry).await;
            }
        }
        Err(error) => info!(%error, "Turned a connection away: {error}"),
    }
}

enum Upgraded {
    Session(Shared),
    Sideband(String),
}

async fn upgrade(
    stream: TcpStream,
    connection: usize,
    fault: Option<InjectedFault>,
    registry: &SessionRegistry,
    exchange: &Exchange,
) -> Result<(Socket, Upgraded), Error> {
    stream.set_nodelay(true)?;
    let mut decided = None;
    let key = registry.key();
    let handler =
        UpgradeHandler { key: &key, config: &registry.config, fault, exchange, decided: &mut decided };
    let limits = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    let socket = accept_hdr_async_with_config(stream, handler, Some(limits)).await?;
    let now = Instant::now();
    let upgraded = match decided.expect("an upgrade succeeds only past the handler") {
        UpgradeDecision::LetIn { model } => {
            Upgraded::Session(
                registry.begin(connection, model, |config, who| Session::open(config, who, now)),
            )
        }
        UpgradeDecision::ToBeRefused { model, refusal } => {
            Upgraded::Session(
                registry.begin(connection, model, |config, who| Session::refused(config, who, &refusal, now)),
            )
        }
        UpgradeDecision::Sideband { call_id } => Upgraded::Sideband(call_id),
        UpgradeDecision::TurnedAway { .. } => unreachable!("the handler answered with an error"),
    };
    Ok((socket, upgraded))
}

/// Returns why the connection is over.
async fn converse(socket: &mut Socket, session: &Shared, registry: &SessionRegistry) -> String {
    loop {
        registry.released().await;
        if let Break(why) = perform(socket, session, registry).await {
            return why;
        }
        let due = session.lock().poll_timeout();
        tokio::select! {
            message = socket.next() => if let Break(why) = receive(message, session) {
                // A client's close frame has its answer waiting to be sent; a connection that is gone takes none.
                let _answered = timeout(PATIENCE, socket.flush()).await;
                return why;
            },
            () = until(due) => session.lock().handle_timeout(Instant::now()),
        }
    }
}

fn receive(message: Option<Result<Message, Error>>, session: &Shared) -> ControlFlow<String> {
    match message {
        Some(Ok(Message::Text(text))) => session.lock().handle_client(&text, Instant::now()),
        // The API speaks text only: whatever is in there, it is no event.
        Some(Ok(Message::Binary(_))) => session.lock().handle_client("", Instant::now()),
        Some(Ok(Message::Close(frame))) => return Break(closed_by_client(frame)),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
        Some(Err(error)) => return Break(error.to_string()),
        None => return Break("the client is gone".to_owned()),
    }
    Continue(())
}

/// Does all that the session wants done.
async fn perform(socket: &mut Socket, session: &Shared, registry: &SessionRegistry) -> ControlFlow<String> {
    while let Some(output) = next_output(session) {
        let done = match output {
            Output::Send(event) => socket.feed(Message::text(event.to_string())).await,
            Output::Observe(observation) => {
                registry.publish(observation);
                Ok(())
            }
            Output::Close { code, reason } => return Break(close(socket, code, reason).await),
            Output::Break => return Break("broken on purpose".to_owned()),
        };
        if let Err(error) = done {
            return Break(error.to_string());
        }
    }
    match socket.flush().await {
        Ok(()) => Continue(()),
        Err(error) => Break(error.to_string()),
    }
}

pub(crate) async fn close(socket: &mut Socket, code: u16, reason: String) -> String {
    let why = format!("closed with {code}: {reason}");
    let frame = CloseFrame { code: code.into(), reason: reason.into() };
    let farewell = async {
        if socket.close(Some(frame)).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    // A client that does not answer the close frame is left.
    let _answered = timeout(PATIENCE, farewell).await;
    why
}

fn closed_by_client(frame: Option<CloseFrame>) -> String {
    match frame {
        Some(frame) => format!("the client closed with {}: {}", frame.code, frame.reason),
        None => "the client closed".to_owned(),
    }
}

fn publish_observations(session: &Shared, registry: &SessionRegistry) {
    while let Some(output) = next_output(session) {
        if let Output::Observe(observation) = output {
            registry.publish(observation);
        }
    }
}

fn next_output(session: &Shared) -> Option<Output> {
    session.lock().poll_output()
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => pending().await,
    }
}
