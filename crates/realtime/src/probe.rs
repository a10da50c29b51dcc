//! Tries a configuration: a session is opened, configured as a call's is, and closed before anything is asked for.

use crate::connection::{Connection, ConnectionError, Endpoint};
use crate::{Action, Config, Failure, Happening, LinkId, Part, Session};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Returns the optional parts that the service refuses, each with its code; nothing is generated, so nothing is billed.
///
/// # Errors
/// Why no call with this configuration gets a session.
pub async fn probe(endpoint: &Endpoint, config: Config) -> Result<Vec<(Part, String)>, Failure> {
    let mut session = Session::new(config, Instant::now());
    let (mut refused, mut line) = (vec![], None);
    loop {
        while let Some(happening) = session.poll_happening() {
            match happening {
                Happening::PartRefused { part, code } => refused.push((part, code)),
                // What the session wants done next is to greet.
                Happening::Ready { .. } => return Ok(refused),
                Happening::Failed(failure) => return Err(failure),
                _ => {}
            }
        }
        match session.poll_action() {
            Some(action) => perform(action, endpoint, &mut session, &mut line).await,
            None => wait(&mut session, &mut line).await,
        }
    }
}

type Line = Option<(LinkId, Connection)>;

async fn perform(action: Action, endpoint: &Endpoint, session: &mut Session, line: &mut Line) {
    let (link, done) = match action {
        Action::Connect(link) => (link, open(endpoint).await.map(|opened| *line = Some((link, opened)))),
        Action::Send(link, event) => match line {
            Some((open, connection)) if *open == link => (link, connection.send(&event).await),
            Some(_) | None => return,
        },
        Action::Close(_) => return *line = None,
    };
    if let Err(error) = done {
        session.handle_down(link, error.into(), Instant::now());
    }
}

async fn open(endpoint: &Endpoint) -> Result<Connection, ConnectionError> {
    let mut connection = Connection::open(endpoint).await?;
    connection.wait_for_first_event().await?;
    Ok(connection)
}

async fn wait(session: &mut Session, line: &mut Line) {
    let due = session.poll_timeout().unwrap_or_else(Instant::now).into();
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
