//! Performs at Meta what a call asks for, and reads what comes of it. Holds the Graph client, which is new for every invocation.

use crate::stored_call::StoredCall;
use call::{CallEvent, Effect};
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use whatsapp::{Graph, GraphError};

/// How long to wait before trying again while the phone rings.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(750)];

/// The longest pause while somebody waits at the telephone.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// With less time than this left, the next try is left to a tick.
const ENOUGH: Duration = Duration::from_secs(2);

/// The Graph client of one invocation.
///
/// Lambda freezes the function between two invocations. A connection that dies meanwhile dies unnoticed, and the next request over
/// it is lost. So no pooled connection is kept.
#[derive(Debug)]
pub struct GraphClient(Mutex<Graph>);

impl GraphClient {
    /// Holds a client.
    pub fn new(graph: Graph) -> Self {
        Self(Mutex::new(graph))
    }

    /// Begins an invocation: drops the connections of the one before.
    pub fn begin(&self) {
        match self.graph().without_connections() {
            Ok(fresh) => *self.0.lock().expect("nothing panics while it holds this lock") = fresh,
            Err(error) => tracing::warn!("Connections to Meta are kept from the invocation before: {error}"),
        }
    }

    /// Connects in the background, so that the first request does not wait for TLS.
    pub(crate) fn connect(&self) {
        let graph = self.graph();
        tokio::spawn(async move { graph.warm_up().await });
    }

    pub(crate) fn graph(&self) -> Graph {
        self.0.lock().expect("nothing panics while it holds this lock").clone()
    }
}

/// Performs an effect that is for Meta, a few times if that may help, until a time. What came of it, and what went wrong on the way.
pub(crate) async fn act(
    graph: &Graph,
    record: &StoredCall,
    effect: &Effect,
    until: Instant,
) -> (CallEvent, Option<GraphError>) {
    let mut pauses = PAUSES.into_iter();
    let mut was_heard = false;
    loop {
        let error = match timeout_at(until, attempt(graph, record, effect)).await {
            Ok(Ok(())) => return (CallEvent::Done(effect.clone()), None),
            Ok(Err(error)) => error,
            Err(_) => GraphError::Unanswered { reason: "no time was left to wait".to_owned() },
        };
        let pause = pauses.next().map(|pause| pause_for(&error, pause));
        match pause.filter(|pause| error.is_worth_another_try() && Instant::now() + *pause + ENOUGH <= until)
        {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return (outcome(record, effect, &error, was_heard), Some(error)),
        }
        was_heard |= may_be_done(&error);
    }
}

/// As long as Meta asks for, as far as the caller can wait for it.
fn pause_for(error: &GraphError, usual: Duration) -> Duration {
    match error {
        GraphError::Busy { retry_after: Some(asked), .. } => (*asked).clamp(usual, LONGEST_PAUSE),
        _ => usual,
    }
}

async fn attempt(graph: &Graph, record: &StoredCall, effect: &Effect) -> Result<(), GraphError> {
    let (number, wacid) = (&record.number, &record.wacid);
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

/// Whether Meta may have done it all the same: where it answered, or was not asked, it did not.
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

/// Whether a refusal of this can mean that it was done before. A call that Meta may never have pre-accepted can refuse
/// to be terminated because it still rings.
fn is_settled(record: &StoredCall, effect: &Effect) -> bool {
    *effect != Effect::Terminate || record.call.pre_accepted
}

/// A refusal of something that was tried before means, most likely, that it was done then: the connection broke
/// after it took effect, or whoever did it died before noting it. Were that wrong, no media would follow, and the
/// call would end by that. `was_heard` says whether a try before this one may have been heard in this invocation.
fn outcome(record: &StoredCall, effect: &Effect, error: &GraphError, was_heard: bool) -> CallEvent {
    if error.is_worth_another_try() {
        let is_heard = was_heard || may_be_done(error);
        return if is_heard {
            CallEvent::Failed(effect.clone())
        } else {
            CallEvent::NotReceived(effect.clone())
        };
    }
    let again = (was_heard || record.call.may_have_taken_effect()) && is_settled(record, effect);
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
    use whatsapp::Caller;

    #[tokio::test]
    async fn no_connection_outlives_its_invocation() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let url = format!("http://{}/v26.0", listener.local_addr().expect("it is bound"));
        let (tell, mut asked) = mpsc::unbounded_channel();
        let graph = Router::new().fallback(move |ConnectInfo(from): ConnectInfo<SocketAddr>| async move {
            tell.send(from.port()).expect("the test listens");
            r#"{"success":true}"#
        });
        let graph = graph.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, graph).await });
        let line = GraphClient::new(Graph::new(&url, "token".into()).expect("there is TLS"));
        let mut ports = vec![];
        for _ in 0..2 {
            line.begin();
            line.graph().warm_up().await;
            line.graph().terminate("1", "wacid.A").await.expect("it is done");
            ports.extend([asked.recv().await, asked.recv().await]);
        }

        assert_eq!((ports[0], ports[2]), (ports[1], ports[3]), "what was connected is used");
        assert_ne!(ports[0], ports[2]);
    }

    #[tokio::test]
    async fn a_refusal_after_an_answer_that_nothing_was_done_does_not_count_as_done() {
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
    async fn three_tries_that_did_nothing_do_not_make_a_refusal_count_as_done() {
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
    async fn a_meta_that_cannot_be_reached_has_heard_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let url = format!("http://{}/v26.0", listener.local_addr().expect("it is bound"));
        drop(listener);
        let graph = Graph::new(&url, "token".into()).expect("there is TLS");

        let (came, error) = act(&graph, &ringing(), &Effect::Accept, soon()).await;

        assert_eq!(came, CallEvent::NotReceived(Effect::Accept));
        assert!(matches!(error, Some(GraphError::Unreached { .. })), "{error:?}");
    }

    #[tokio::test]
    async fn a_try_ends_before_another_process_may_begin_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let url = format!("http://{}/v26.0", listener.local_addr().expect("it is bound"));
        let graph = Graph::new(&url, "token".into()).expect("there is TLS");

        let (came, _) = act(&graph, &ringing(), &Effect::Accept, Instant::now()).await;

        assert_eq!(came, CallEvent::Failed(Effect::Accept), "it may have been heard");
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
        StoredCall::ringing("wacid.A", "1", "v=0", &Caller::default(), Timestamp(7), budget)
    }

    #[test]
    fn a_refused_accept_that_was_tried_before_counts_as_done() {
        let in_progress = GraphError::Refused { code: 100, message: "call already in progress".into() };

        let record = ringing();
        assert_eq!(outcome(&record, &Effect::Accept, &in_progress, true), CallEvent::Done(Effect::Accept));
        assert_eq!(
            outcome(&record, &Effect::Accept, &in_progress, false),
            CallEvent::CallGone(Effect::Accept)
        );
    }

    #[test]
    fn a_refused_sdp_is_refused_however_often_it_was_tried() {
        let invalid = GraphError::Refused { code: 138_008, message: "SDP Validation error".into() };

        let came = outcome(&ringing(), &Effect::PreAccept, &invalid, true);
        assert_eq!(came, CallEvent::Refused(Effect::PreAccept));
    }
}
