//! Performs call actions (`pre_accept`, `accept`, `reject`, `terminate`) at Meta's Graph API, with retries, and maps the results to call
//! events.

use backon::Retryable;
use call::{CallEvent, Effect};
use std::sync::Mutex;
use std::time::Duration;
use store::StoredCall;
use tokio::time::{Instant, timeout_at};
use whatsapp::{Graph, GraphError};

/// The pauses between attempts while the phone rings.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(750)];

/// The longest pause, because the caller is waiting.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// With less time than this left, the next attempt is left to a tick.
const ENOUGH: Duration = Duration::from_secs(2);

/// The Graph client, with a new connection pool for each invocation.
///
/// Lambda freezes the function between invocations. A connection that dies meanwhile dies unnoticed, and the next request over it would be
/// lost.
#[derive(Debug)]
pub struct GraphClient(Mutex<Graph>);

impl GraphClient {
    /// Wraps a Graph client.
    pub fn new(graph: Graph) -> Self {
        Self(Mutex::new(graph))
    }

    /// Drops the previous invocation's connections.
    pub fn reset_connections(&self) {
        match self.client().without_connections() {
            Ok(fresh) => *self.0.lock().expect("nothing panics while it holds this lock") = fresh,
            Err(error) => tracing::warn!(
                "cannot reset the connections to Meta, the previous invocation's are kept: {error}"
            ),
        }
    }

    /// Opens a connection in the background, so that the first request does not wait for TLS.
    pub(crate) fn connect(&self) {
        let graph = self.client();
        tokio::spawn(async move { graph.warm_up().await });
    }

    pub(crate) fn client(&self) -> Graph {
        self.0.lock().expect("nothing panics while it holds this lock").clone()
    }
}

/// Performs an effect at Meta with retries until a deadline, and returns the call event and the last error.
pub(crate) async fn act(
    graph: &Graph,
    record: &StoredCall,
    effect: &Effect,
    until: Instant,
) -> (CallEvent, Option<GraphError>) {
    let mut was_received = false;
    let send = || async {
        let no_time = |_| GraphError::Unanswered { reason: "no time was left to wait".to_owned() };
        timeout_at(until, send_action(graph, record, effect)).await.map_err(no_time).flatten()
    };
    let sent = send
        .retry(PAUSES.into_iter())
        .when(GraphError::is_worth_another_try)
        .adjust(|error, usual| {
            usual
                .map(|usual| pause_for(error, usual))
                .filter(|pause| Instant::now() + *pause + ENOUGH <= until)
        })
        .notify(|error, _| was_received |= may_be_done(error))
        .await;
    match sent {
        Ok(()) => (CallEvent::Done(effect.clone()), None),
        Err(error) => (outcome(record, effect, &error, was_received), Some(error)),
    }
}

/// Returns the pause before the next attempt: Meta's `Retry-After`, within what the caller can wait for.
fn pause_for(error: &GraphError, usual: Duration) -> Duration {
    match error {
        GraphError::Busy { retry_after: Some(asked), .. } => (*asked).clamp(usual, LONGEST_PAUSE),
        _ => usual,
    }
}

async fn send_action(graph: &Graph, record: &StoredCall, effect: &Effect) -> Result<(), GraphError> {
    let (number, wacid) = (record.number.as_str(), record.wacid.as_deref().unwrap_or_default());
    let answer = record.call.answer.as_deref().unwrap_or_default();
    match effect {
        Effect::PreAccept => graph.pre_accept(number, wacid, answer).await,
        Effect::Accept => graph.accept(number, wacid, answer).await,
        Effect::Reject => graph.reject(number, wacid).await,
        Effect::Terminate => graph.terminate(number, wacid).await,
        Effect::AssignTask
        | Effect::LaunchTask
        | Effect::Offer(_)
        | Effect::Release(_)
        | Effect::TellCaller(_)
        | Effect::CheckTask(_) => Ok(()),
    }
}

/// Whether the action may have taken effect in spite of the error: only if Meta received it and did not answer.
pub(crate) fn may_be_done(error: &GraphError) -> bool {
    match error {
        GraphError::Unanswered { .. } => true,
        GraphError::Busy { .. }
        | GraphError::Undone { .. }
        | GraphError::Unreached { .. }
        | GraphError::Misconfigured { .. }
        | GraphError::Refused { .. } => false,
    }
}

/// Whether a refusal can mean that the effect took place earlier. Meta may refuse to terminate a call that was possibly never pre-accepted
/// because it still rings.
fn is_settled(record: &StoredCall, effect: &Effect) -> bool {
    *effect != Effect::Terminate || record.call.pre_accepted
}

/// Maps a final error to the call's event; `was_received`: an earlier attempt of this invocation may have reached Meta.
///
/// A refusal after an earlier attempt most likely means that the attempt took effect: the connection broke afterwards, or the process died
/// before saving. If that is wrong, no media follows, and the call ends by its media timeout.
fn outcome(record: &StoredCall, effect: &Effect, error: &GraphError, was_received: bool) -> CallEvent {
    if error.is_worth_another_try() {
        let is_received = was_received || may_be_done(error);
        return if is_received {
            CallEvent::Failed(effect.clone())
        } else {
            CallEvent::NotReceived(effect.clone())
        };
    }
    let again = (was_received || record.call.may_have_taken_effect()) && is_settled(record, effect);
    let says_what_is_wrong = matches!(error, GraphError::Misconfigured { .. }) || error.is_about_sdp();
    if says_what_is_wrong {
        return CallEvent::Refused(effect.clone());
    }
    if again { CallEvent::Done(effect.clone()) } else { CallEvent::CallGone(effect.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::extract::ConnectInfo;
    use axum::http::StatusCode;
    use call::Timestamp;
    use std::net::SocketAddr;
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn resets_connections_with_each_invocation() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let url = format!("http://{}/v26.0", listener.local_addr().expect("it is bound"));
        let (sender, mut ports_seen) = mpsc::unbounded_channel();
        let graph = Router::new().fallback(move |ConnectInfo(from): ConnectInfo<SocketAddr>| async move {
            sender.send(from.port()).expect("the test listens");
            r#"{"success":true}"#
        });
        let graph = graph.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, graph).await });
        let graph = GraphClient::new(Graph::new(&url, "token".into()).expect("there is TLS"));
        let mut ports = vec![];
        for _ in 0..2 {
            graph.reset_connections();
            graph.client().warm_up().await;
            graph.client().terminate("1", "wacid.A").await.expect("it is done");
            ports.extend([ports_seen.recv().await, ports_seen.recv().await]);
        }

        assert_eq!((ports[0], ports[2]), (ports[1], ports[3]), "what was connected is used");
        assert_ne!(ports[0], ports[2]);
    }

    #[tokio::test]
    async fn a_refusal_after_a_failed_attempt_does_not_count_as_done() {
        let refused = (400, r#"{"error":{"code":100}}"#);
        let transient = (400, r#"{"error":{"code":131000,"is_transient":true}}"#);
        let (undone, fault) = ((200, r#"{"success":false}"#), (500, r#"{"error":{"code":2}}"#));
        for (first, event) in [
            (transient, CallEvent::CallGone(Effect::Accept)),
            (undone, CallEvent::CallGone(Effect::Accept)),
            (fault, CallEvent::Done(Effect::Accept)),
        ] {
            let graph = graph_that_answers(&[first, refused]).await;

            let (came, _) = act(&graph, &ringing(), &Effect::Accept, soon()).await;

            assert_eq!(came, event, "{first:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_after_three_failed_attempts_does_not_count_as_done() {
        let (undone, refused) = ((200, r#"{"success":false}"#), (400, r#"{"error":{"code":100}}"#));
        let graph = graph_that_answers(&[undone, undone, undone, refused]).await;
        let mut record = ringing();
        (record.call.pending, record.call.attempts) = (vec![Effect::Accept], 1);

        let (came, _) = act(&graph, &record, &Effect::Accept, soon()).await;
        assert_eq!(came, CallEvent::NotReceived(Effect::Accept));
        (record.call.attempts, record.call.unheard) = (2, 1);
        let (came, _) = act(&graph, &record, &Effect::Accept, soon()).await;

        assert_eq!(came, CallEvent::CallGone(Effect::Accept));
    }

    #[tokio::test]
    async fn an_unreachable_meta_has_received_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let url = format!("http://{}/v26.0", listener.local_addr().expect("it is bound"));
        drop(listener);
        let graph = Graph::new(&url, "token".into()).expect("there is TLS");

        let (came, error) = act(&graph, &ringing(), &Effect::Accept, soon()).await;

        assert_eq!(came, CallEvent::NotReceived(Effect::Accept));
        assert!(matches!(error, Some(GraphError::Unreached { .. })), "{error:?}");
    }

    #[tokio::test]
    async fn an_attempt_ends_at_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let url = format!("http://{}/v26.0", listener.local_addr().expect("it is bound"));
        let graph = Graph::new(&url, "token".into()).expect("there is TLS");

        let (came, _) = act(&graph, &ringing(), &Effect::Accept, Instant::now()).await;

        assert_eq!(came, CallEvent::Failed(Effect::Accept), "it may have been received");
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(9)
    }

    async fn graph_that_answers(answers: &[(u16, &'static str)]) -> Graph {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let url = format!("http://{}/v26.0", listener.local_addr().expect("it is bound"));
        let answers = std::sync::Arc::new(Mutex::new(answers.to_vec()));
        let graph = Router::new().fallback(move || async move {
            let (status, body) = answers.lock().expect("no test panics here").remove(0);
            (StatusCode::from_u16(status).expect("it is a status"), body)
        });
        tokio::spawn(async move { axum::serve(listener, graph).await });
        Graph::new(&url, "token".into()).expect("there is TLS")
    }

    fn ringing() -> StoredCall {
        let budget = Duration::from_secs(25);
        StoredCall::ringing(
            "wacid.A",
            &"1".into(),
            "v=0",
            store::CallerNames::default(),
            Timestamp(7),
            budget,
        )
    }

    #[test]
    fn a_refused_accept_after_an_earlier_attempt_counts_as_done() {
        let in_progress = GraphError::Refused { code: 100, message: "call already in progress".into() };

        let record = ringing();
        assert_eq!(outcome(&record, &Effect::Accept, &in_progress, true), CallEvent::Done(Effect::Accept));
        assert_eq!(
            outcome(&record, &Effect::Accept, &in_progress, false),
            CallEvent::CallGone(Effect::Accept)
        );
    }

    #[test]
    fn a_refused_sdp_never_counts_as_done() {
        let invalid = GraphError::Refused { code: 138_008, message: "SDP Validation error".into() };

        let came = outcome(&ringing(), &Effect::PreAccept, &invalid, true);
        assert_eq!(came, CallEvent::Refused(Effect::PreAccept));
    }
}
