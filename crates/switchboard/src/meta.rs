//! Performs at Meta what a call asks for, and reads what comes of it. Holds the Graph client, which is new for every invocation.

use crate::record::Record;
use call::{Effect, Event};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use whatsapp::{Graph, GraphError};

/// How long to wait before trying again while the phone rings.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(750)];

/// The longest pause while somebody waits at the telephone.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Whoever has waited for so long leaves the next try to a tick: a media task counts on an answer within 18 s, and one
/// try may take 8 s.
const LONG: Duration = Duration::from_secs(7);

/// The Graph client of one invocation.
///
/// Lambda freezes the function between two invocations. A connection that dies meanwhile dies unnoticed, and the next request over
/// it is lost. So no pooled connection is kept.
#[derive(Debug)]
pub struct Line(Mutex<Graph>);

impl Line {
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

/// Performs an effect that is for Meta, a few times if that may help. What came of it, and what went wrong on the way.
pub(crate) async fn act(graph: &Graph, record: &Record, effect: &Effect) -> (Event, Option<GraphError>) {
    let mut pauses = PAUSES.into_iter();
    let mut again = record.call.attempts > 1;
    let began = Instant::now();
    loop {
        let error = match attempt(graph, record, effect).await {
            Ok(()) => return (Event::Done(effect.clone()), None),
            Err(error) => error,
        };
        match pauses.next().filter(|_| error.is_worth_another_try() && began.elapsed() < LONG) {
            Some(pause) => tokio::time::sleep(pause_for(&error, pause)).await,
            None => return (outcome(effect, &error, again && is_settled(record, effect)), Some(error)),
        }
        again |= may_be_done(&error);
    }
}

/// As long as Meta asks for, as far as the caller can wait for it.
fn pause_for(error: &GraphError, usual: Duration) -> Duration {
    match error {
        GraphError::Busy { retry_after: Some(asked), .. } => (*asked).clamp(usual, LONGEST_PAUSE),
        _ => usual,
    }
}

async fn attempt(graph: &Graph, record: &Record, effect: &Effect) -> Result<(), GraphError> {
    let (number, wacid) = (&record.number, &record.wacid);
    let answer = record.call.answer.as_deref().unwrap_or_default();
    match effect {
        Effect::PreAccept => graph.pre_accept(number, wacid, answer).await,
        Effect::Accept => graph.accept(number, wacid, answer).await,
        Effect::Reject => graph.reject(number, wacid).await,
        Effect::Terminate => graph.terminate(number, wacid).await,
        Effect::FindSeat
        | Effect::LaunchTask
        | Effect::Offer(_)
        | Effect::Release(_)
        | Effect::TellCaller(_)
        | Effect::CheckTask(_) => Ok(()),
    }
}

/// Whether Meta may have done it all the same: where it answered, it did not.
pub(crate) fn may_be_done(error: &GraphError) -> bool {
    match error {
        GraphError::Unanswered { .. } => true,
        GraphError::Busy { .. }
        | GraphError::Undone { .. }
        | GraphError::Misconfigured { .. }
        | GraphError::Refused { .. } => false,
    }
}

/// Whether a refusal of this can mean that it was done before. A call that Meta may never have pre-accepted can refuse
/// to be terminated because it still rings.
fn is_settled(record: &Record, effect: &Effect) -> bool {
    *effect != Effect::Terminate || record.call.pre_accepted
}

/// A refusal of something that was tried before means, most likely, that it was done then: the connection broke
/// after it took effect, or whoever did it died before noting it. Were that wrong, no media would follow, and the
/// call would end by that.
fn outcome(effect: &Effect, error: &GraphError, again: bool) -> Event {
    if error.is_worth_another_try() {
        return Event::Failed(effect.clone());
    }
    let says_what_is_wrong = matches!(error, GraphError::Misconfigured { .. }) || error.is_about_sdp();
    if says_what_is_wrong {
        return Event::Refused(effect.clone());
    }
    if again { Event::Done(effect.clone()) } else { Event::Gone(effect.clone()) }
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
        let line = Line::new(Graph::new(&url, "token".into()).expect("there is TLS"));
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
            (transient, Event::Gone(Effect::Accept)),
            (undone, Event::Gone(Effect::Accept)),
            (fault, Event::Done(Effect::Accept)),
        ] {
            let graph = graph_that_answers(&[first, refused]).await;

            let (came, _) = act(&graph, &ringing(), &Effect::Accept).await;

            assert_eq!(came, event, "{first:?}");
        }
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

    fn ringing() -> Record {
        let budget = Duration::from_secs(25);
        Record::ringing("wacid.A", "1", "v=0", &Caller::default(), Timestamp(7), budget)
    }

    #[test]
    fn a_refused_accept_that_was_tried_before_counts_as_done() {
        let in_progress = GraphError::Refused { code: 100, message: "call already in progress".into() };

        assert_eq!(outcome(&Effect::Accept, &in_progress, true), Event::Done(Effect::Accept));
        assert_eq!(outcome(&Effect::Accept, &in_progress, false), Event::Gone(Effect::Accept));
    }

    #[test]
    fn a_refused_sdp_is_refused_however_often_it_was_tried() {
        let invalid = GraphError::Refused { code: 138_008, message: "SDP Validation error".into() };

        assert_eq!(outcome(&Effect::PreAccept, &invalid, true), Event::Refused(Effect::PreAccept));
    }
}
