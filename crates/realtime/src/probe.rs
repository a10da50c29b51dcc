//! Probes a configuration: opens a session, configures it as a call would, and closes it before a response is requested.

use crate::connection::{Connection, ConnectionError, Endpoint};
use crate::{Failure, LinkId, OptionalPart, Session, SessionAction, SessionConfig, SessionEvent};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Returns the optional parts that the service refuses, each with its error code. Nothing is generated, so nothing is billed.
///
/// # Errors
/// Returns why no call with this configuration gets a session.
pub async fn probe(
    endpoint: &Endpoint,
    config: SessionConfig,
) -> Result<Vec<(OptionalPart, String)>, Failure> {
    let mut session = Session::new(config, Instant::now());
    let (mut refused, mut current) = (vec![], None);
    loop {
        while let Some(event) = session.poll_event() {
            match event {
                SessionEvent::PartRefused { part, code } => refused.push((part, code)),
                // The session's next action would request the greeting.
                SessionEvent::Ready { .. } => return Ok(refused),
                SessionEvent::Failed(failure) => return Err(failure),
                _ => {}
            }
        }
        step(&mut session, endpoint, &mut current).await;
    }
}

type OpenConnection = Option<(LinkId, Connection)>;

/// Performs the session's next action, or waits for an event, until the session's next timeout.
async fn step(session: &mut Session, endpoint: &Endpoint, current: &mut OpenConnection) {
    let Some(action) = session.poll_action() else { return wait(session, current).await };
    match tokio::time::timeout_at(due(session), perform(action, endpoint, current)).await {
        Ok(Ok(())) => {}
        Ok(Err((link, error))) => session.handle_connection_loss(link, error.into(), Instant::now()),
        Err(_) => session.handle_timeout(Instant::now()),
    }
}

async fn perform(
    action: SessionAction,
    endpoint: &Endpoint,
    current: &mut OpenConnection,
) -> Result<(), (LinkId, ConnectionError)> {
    let (link, done) = match action {
        SessionAction::Connect(link) => {
            (link, open(endpoint).await.map(|opened| *current = Some((link, opened))))
        }
        SessionAction::Send(link, event) => match current {
            Some((open, connection)) if *open == link => (link, connection.send(&event).await),
            Some(_) | None => return Ok(()),
        },
        SessionAction::Close(_) => {
            *current = None;
            return Ok(());
        }
    };
    done.map_err(|error| (link, error))
}

fn due(session: &Session) -> tokio::time::Instant {
    session.poll_timeout().unwrap_or_else(Instant::now).into()
}

async fn open(endpoint: &Endpoint) -> Result<Connection, ConnectionError> {
    let mut connection = Connection::open(endpoint).await?;
    connection.wait_for_first_event().await?;
    Ok(connection)
}

async fn wait(session: &mut Session, current: &mut OpenConnection) {
    let due = due(session);
    let Some((link, connection)) = current else {
        tokio::time::sleep_until(due).await;
        return session.handle_timeout(Instant::now());
    };
    let link = *link;
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match tokio::time::timeout_at(due, connection.next()).await {
        Ok(Ok(event)) => session.handle_event(link, event, Instant::now(), unix),
        Ok(Err(error)) => session.handle_connection_loss(link, error.into(), Instant::now()),
        Err(_) => session.handle_timeout(Instant::now()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{Auth, MODEL};
    use crate::tls_roots::TrustedRoots;
    use crate::{AudioPath, Greeting, OptionalParts, Options, TurnMode};
    use futures_util::StreamExt;
    use std::time::Duration;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_server_silent_after_the_upgrade_times_out_as_in_calls() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
        let port = listener.local_addr().expect("it is bound").port();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("the client connects");
            let mut socket = tokio_tungstenite::accept_async(stream).await.expect("it is a WebSocket");
            while let Some(Ok(_)) = socket.next().await {}
        });
        let endpoint = Endpoint {
            url: format!("ws://127.0.0.1:{port}/v1/realtime"),
            model: MODEL.into(),
            key: "secret".to_owned().into(),
            auth: Auth::default(),
            safety_identifier: None,
            call: None,
            headers: vec![],
            trust: TrustedRoots::default(),
        };
        let config = SessionConfig {
            instructions: "You answer calls.".into(),
            options: Options::default(),
            greeting: Greeting::Prompt("Greet.".into()),
            greeting_interruptible: true,
            turns: TurnMode::Server,
            audio: AudioPath::Socket,
            tools: vec![],
            recycle_after: None,
            margin: SessionConfig::MARGIN,
            without: OptionalParts::default(),
        };
        // A connection is given up five seconds after its start.
        let began = Instant::now() - Duration::from_millis(4_500);
        let (mut session, mut current) = (Session::new(config, began), None);

        let step = step(&mut session, &endpoint, &mut current);
        tokio::time::timeout(Duration::from_secs(10), step)
            .await
            .expect("it ends with the session's patience");

        assert!(matches!(session.poll_action(), Some(SessionAction::Close(_))));
        server.abort();
    }
}
