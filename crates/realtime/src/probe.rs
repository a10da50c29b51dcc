//! Tries a configuration: a session is opened, configured as a call's is, and closed before anything is asked for.

use crate::connection::{Connection, ConnectionError, Endpoint};
use crate::{Failure, LinkId, OptionalPart, Session, SessionAction, SessionConfig, SessionEvent};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Returns the optional parts that the service refuses, each with its code; nothing is generated, so nothing is billed.
///
/// # Errors
/// Why no call with this configuration gets a session.
pub async fn probe(
    endpoint: &Endpoint,
    config: SessionConfig,
) -> Result<Vec<(OptionalPart, String)>, Failure> {
    let mut session = Session::new(config, Instant::now());
    let (mut refused, mut line) = (vec![], None);
    loop {
        while let Some(happening) = session.poll_happening() {
            match happening {
                SessionEvent::PartRefused { part, code } => refused.push((part, code)),
                // What the session wants done next is to greet.
                SessionEvent::Ready { .. } => return Ok(refused),
                SessionEvent::Failed(failure) => return Err(failure),
                _ => {}
            }
        }
        step(&mut session, endpoint, &mut line).await;
    }
}

type Line = Option<(LinkId, Connection)>;

/// Does what the session wants done, or waits, for no longer than the session waits.
async fn step(session: &mut Session, endpoint: &Endpoint, line: &mut Line) {
    let Some(action) = session.poll_action() else { return wait(session, line).await };
    match tokio::time::timeout_at(due(session), perform(action, endpoint, line)).await {
        Ok(Ok(())) => {}
        Ok(Err((link, error))) => session.handle_down(link, error.into(), Instant::now()),
        Err(_) => session.handle_timeout(Instant::now()),
    }
}

async fn perform(
    action: SessionAction,
    endpoint: &Endpoint,
    line: &mut Line,
) -> Result<(), (LinkId, ConnectionError)> {
    let (link, done) = match action {
        SessionAction::Connect(link) => {
            (link, open(endpoint).await.map(|opened| *line = Some((link, opened))))
        }
        SessionAction::Send(link, event) => match line {
            Some((open, connection)) if *open == link => (link, connection.send(&event).await),
            Some(_) | None => return Ok(()),
        },
        SessionAction::Close(_) => {
            *line = None;
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

async fn wait(session: &mut Session, line: &mut Line) {
    let due = due(session);
    let Some((link, connection)) = line else {
        tokio::time::sleep_until(due).await;
        return session.handle_timeout(Instant::now());
    };
    let link = *link;
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match tokio::time::timeout_at(due, connection.next()).await {
        Ok(Ok(event)) => session.handle_event(link, event, Instant::now(), unix),
        Ok(Err(error)) => session.handle_down(link, error.into(), Instant::now()),
        Err(_) => session.handle_timeout(Instant::now()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{Auth, MODEL};
    use crate::tls_roots::TrustedRoots;
    use crate::{Greeting, OptionalParts, Options, TurnMode};
    use futures_util::StreamExt;
    use std::time::Duration;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_server_that_says_nothing_after_the_upgrade_is_waited_for_as_long_as_by_calls() {
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
            headers: vec![],
            trust: TrustedRoots::default(),
        };
        let config = SessionConfig {
            instructions: "You answer calls.".into(),
            options: Options::default(),
            greeting: Greeting::Prompt("Greet.".into()),
            greeting_interruptible: true,
            turns: TurnMode::Server,
            tools: vec![],
            recycle_after: None,
            margin: SessionConfig::MARGIN,
            without: OptionalParts::default(),
        };
        // Five seconds after its beginning, a connection is given up.
        let began = Instant::now() - Duration::from_millis(4_500);
        let (mut session, mut line) = (Session::new(config, began), None);

        let step = step(&mut session, &endpoint, &mut line);
        tokio::time::timeout(Duration::from_secs(10), step)
            .await
            .expect("it ends with the session's patience");

        assert!(matches!(session.poll_action(), Some(SessionAction::Close(_))));
        server.abort();
    }
}
