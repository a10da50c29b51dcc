//! Performs call actions on the SIP line (`accept`, `reject`, `hangup`, `refer`) at OpenAI, with retries, and maps the results to call events.

use crate::Switchboard;
use crate::handled_call::HandledCall;
use crate::perform::{EffectOutcome, wire_name};
use crate::secrets::ControlApiSecret;
use anyhow::Context;
use backon::Retryable;
use call::{CallEvent, Effect, Ending};
use journal::JournalEvent;
use openai_calls::{AcceptedAs, CallId, CallRequest, Calls, CallsError};
use secrecy::SecretString;
use service::secrets::Secret;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use store::StoredCall;
use tokio::time::{Instant, timeout_at};

/// The pauses between attempts while the phone rings.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(750)];

/// With less time than this left, the next attempt is left to a tick.
const ENOUGH: Duration = Duration::from_secs(1);

/// The client of OpenAI's requests about calls: made when the first call on the SIP line comes, with a new connection pool for each
/// invocation after it.
#[derive(Debug)]
pub struct CallsClient {
    url: String,
    model: String,
    secret: Secret<ControlApiSecret>,
    calls: OnceLock<Mutex<Calls>>,
}

impl CallsClient {
    /// Returns a client of the API at `url`, with the key in `secret`. `model` takes the calls of agents that name none.
    pub fn new(url: &str, model: &str, secret: Secret<ControlApiSecret>) -> Self {
        Self { url: url.to_owned(), model: model.to_owned(), secret, calls: OnceLock::new() }
    }

    /// Drops the previous invocation's connections.
    pub fn reset_connections(&self) {
        let Some(calls) = self.calls.get() else { return };
        let mut calls = calls.lock().expect("nothing panics while it holds this lock");
        match calls.without_connections() {
            Ok(fresh) => *calls = fresh,
            Err(error) => tracing::warn!(
                "cannot reset the connections to OpenAI, the previous invocation's are kept: {error}"
            ),
        }
    }

    /// Opens a connection in the background, so that the first request does not wait for TLS.
    pub(crate) fn connect(&self) {
        match self.client() {
            Ok(calls) => drop(tokio::spawn(async move { calls.warm_up().await })),
            Err(error) => tracing::warn!("cannot open a connection to OpenAI: {error:#}"),
        }
    }

    fn client(&self) -> anyhow::Result<Calls> {
        if let Some(calls) = self.calls.get() {
            return Ok(calls.lock().expect("nothing panics while it holds this lock").clone());
        }
        let calls =
            Calls::new(&self.url, SecretString::default()).context("cannot configure TLS for OpenAI")?;
        let _ = self.calls.set(Mutex::new(calls.clone()));
        Ok(calls)
    }

    /// Ends a call of which nothing but its id is known, with `hangup`, or `reject` if OpenAI refuses that, and returns whether OpenAI has
    /// answered.
    pub(crate) async fn end(&self, call: &str) -> bool {
        let Some(call) = CallId::parse(call) else { return true };
        let ended = match self.send(&call, &CallRequest::Hangup).await {
            Err(error) if !may_end_later(&error) => {
                self.send(&call, &CallRequest::Reject { status_code: status_code(None) }).await
            }
            ended => ended,
        };
        !ended.is_err_and(|error| may_end_later(&error))
    }

    /// Asks for a transfer by a deadline, again only after an attempt that certainly never reached the carrier: a second one could ring a
    /// second time. A success does not mean that the carrier follows it.
    pub(crate) async fn refer(&self, call: &CallId, target: &str, until: Instant) -> Result<(), CallsError> {
        let request = CallRequest::Refer { target: target.to_owned() };
        let send = || async {
            let no_time = |_| CallsError::Unanswered { reason: "no time was left to wait".to_owned() };
            timeout_at(until, self.send(call, &request)).await.map_err(no_time).flatten()
        };
        let was_not_received = |error: &CallsError| error.is_worth_another_try() && !error.may_be_done();
        let has_time = |pause: Option<Duration>| pause.filter(|pause| Instant::now() + *pause < until);
        send.retry(PAUSES.into_iter())
            .when(was_not_received)
            .adjust(|error, usual| has_time(usual.map(|usual| pause_for(error, usual))))
            .await
    }

    /// Sends a request, and once more with a newer key, if there is one and OpenAI rejects the old one.
    async fn send(&self, call: &CallId, request: &CallRequest) -> Result<(), CallsError> {
        let calls = self.client().map_err(|error| CallsError::Unreached { reason: format!("{error:#}") })?;
        let used = self.secret.current().await;
        let reply = calls.with_key(key_in(&used)).send(call, request).await;
        if !reply.as_ref().is_err_and(CallsError::is_about_the_key) {
            return reply;
        }
        match self.secret.instead_of(&used).await {
            Some(newer) => calls.with_key(key_in(&newer)).send(call, request).await,
            None => reply,
        }
    }
}

fn key_in(secret: &ControlApiSecret) -> SecretString {
    secret.openai_api_key.clone().unwrap_or_default()
}

impl Switchboard {
    /// Opens a connection to the service of the call's line.
    pub(crate) fn connect_for(&self, record: &StoredCall) {
        if record.realtime_call.is_some() { self.openai.connect() } else { self.graph.connect() }
    }

    /// Performs an effect of a call on the SIP line.
    pub(crate) async fn act_at_openai(
        &self,
        handled: &HandledCall,
        call: &str,
        effect: &Effect,
    ) -> EffectOutcome {
        let record = &handled.record;
        let Some(call) = CallId::parse(call) else {
            return EffectOutcome::of(CallEvent::Refused(effect.clone()));
        };
        let Some(mut request) = self.request_of(handled, effect).await else {
            return EffectOutcome::of(CallEvent::Done(effect.clone()));
        };
        let until = self.deadline(record);
        let (mut event, mut error) = self.attempt(record, effect, &call, &request, until, false).await;
        if let CallRequest::Accept(session) = &mut request
            && error.as_ref().is_some_and(CallsError::is_about_turn_detection)
        {
            session.is_held_back = false;
            let was_received = matches!(event, CallEvent::AcceptInDoubt { .. });
            (event, error) = self.attempt(record, effect, &call, &request, until, was_received).await;
        }
        match error.filter(|error| !is_expected(&event, error)) {
            Some(error) => EffectOutcome::with_entry(event, line_trouble(&wire_name(effect), &error)),
            None => EffectOutcome::of(event),
        }
    }

    /// Sends a request with retries until a deadline, and returns the call's event and the last error; `was_received`: it may have reached
    /// OpenAI before.
    async fn attempt(
        &self,
        record: &StoredCall,
        effect: &Effect,
        call: &CallId,
        request: &CallRequest,
        until: Instant,
        mut was_received: bool,
    ) -> (CallEvent, Option<CallsError>) {
        let send = || async {
            let no_time = |_| CallsError::Unanswered { reason: "no time was left to wait".to_owned() };
            timeout_at(until, self.openai.send(call, request)).await.map_err(no_time).flatten()
        };
        let may_wait = |pause: &Duration| {
            let is_in_time = *effect != Effect::Accept || self.now() + *pause < record.call.ring_deadline;
            is_in_time && Instant::now() + *pause + ENOUGH <= until
        };
        let sent = send
            .retry(PAUSES.into_iter())
            .when(CallsError::is_worth_another_try)
            .adjust(|error, usual| usual.map(|usual| pause_for(error, usual)).filter(may_wait))
            .notify(|error, _| was_received |= error.may_be_done())
            .await;
        match sent {
            Ok(()) => (CallEvent::Done(effect.clone()), None),
            Err(error) => (outcome(record, effect, &error, was_received), Some(error)),
        }
    }

    /// Returns the request that performs an effect, if one does.
    async fn request_of(&self, handled: &HandledCall, effect: &Effect) -> Option<CallRequest> {
        match effect {
            Effect::Accept => {
                // The voice is all that is lost if the agent cannot be read.
                let resolved = self.agent_of(handled).await.unwrap_or(&self.agent);
                let options = &resolved.agent.model;
                let model = options.name.clone().unwrap_or_else(|| self.openai.model.clone());
                Some(CallRequest::Accept(AcceptedAs {
                    model,
                    voice: options.voice.clone(),
                    is_held_back: true,
                }))
            }
            Effect::Reject => {
                Some(CallRequest::Reject { status_code: status_code(handled.record.call.ending()) })
            }
            Effect::Terminate => Some(CallRequest::Hangup),
            Effect::AssignTask
            | Effect::LaunchTask
            | Effect::Offer(_)
            | Effect::PreAccept
            | Effect::Release(_)
            | Effect::TellCaller(_)
            | Effect::CheckTask(_) => None,
        }
    }
}

/// Returns the SIP status code that the carrier gets for a call that ends so. With 503 a trunk may use a second route.
fn status_code(ending: Option<Ending>) -> u16 {
    match ending {
        Some(Ending::Untrusted) => 403,
        Some(Ending::Closed | Ending::OverBudget | Ending::RefusedByLookup | Ending::LineRefused) => 480,
        Some(Ending::CalledTooOften) => 486,
        _ => 503,
    }
}

/// Returns the pause before the next attempt: OpenAI's `Retry-After`, if the caller can wait for it.
fn pause_for(error: &CallsError, usual: Duration) -> Duration {
    match error {
        CallsError::Busy { retry_after: Some(asked), .. } => (*asked).max(usual),
        _ => usual,
    }
}

/// Whether the request that ends a call may succeed later: a key that OpenAI rejects is replaced, and the call goes on until then.
fn may_end_later(error: &CallsError) -> bool {
    error.is_worth_another_try() || error.is_about_the_key()
}

/// Whether an error is how the service says that nothing is left to do.
fn is_expected(event: &CallEvent, error: &CallsError) -> bool {
    matches!(error, CallsError::Gone) || matches!(event, CallEvent::Done(_))
}

/// Maps a final error to the call's event; `was_received`: an earlier attempt of this invocation may have reached OpenAI.
fn outcome(record: &StoredCall, effect: &Effect, error: &CallsError, was_received: bool) -> CallEvent {
    let effect = effect.clone();
    let ends_call = matches!(effect, Effect::Reject | Effect::Terminate);
    if error.is_worth_another_try() || ends_call && may_end_later(error) {
        let is_received = was_received || error.may_be_done();
        return if is_received { CallEvent::Failed(effect) } else { CallEvent::NotReceived(effect) };
    }
    let may_have_taken_effect = was_received || record.call.may_have_taken_effect();
    match (&effect, error) {
        // The sideband proves it: it opens, or it does not.
        (Effect::Accept, CallsError::AlreadyDecided) if may_have_taken_effect => CallEvent::Done(effect),
        (Effect::Accept, error) if may_have_taken_effect => {
            let is_gone = matches!(error, CallsError::Gone);
            let ending = if is_gone { Ending::CallerGaveUp } else { record.call.line.refused() };
            CallEvent::AcceptInDoubt { ending }
        }
        (Effect::Accept, CallsError::Gone) => CallEvent::CallGone(effect),
        (Effect::Accept, CallsError::AlreadyDecided) => CallEvent::LineGaveUp,
        (Effect::Reject, CallsError::AlreadyDecided) if record.call.accept_asked => {
            CallEvent::Refused(effect)
        }
        (Effect::Reject, CallsError::Gone | CallsError::AlreadyDecided) => CallEvent::Done(effect),
        // A call that was never accepted may ring all the same: then it is rejected.
        (Effect::Terminate, CallsError::Gone) if record.call.accepted_at.is_some() => CallEvent::Done(effect),
        _ => CallEvent::Refused(effect),
    }
}

pub(crate) fn line_trouble(action: &str, error: &CallsError) -> JournalEvent {
    JournalEvent::LineTrouble {
        action: action.to_owned(),
        code: error.code().to_owned(),
        reason: error.to_string(),
        cure: error.cure().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::Timestamp;
    use store::CallerNames;

    #[test]
    fn the_carrier_learns_why_a_call_is_rejected() {
        for (ending, code) in [
            (Ending::Untrusted, 403),
            (Ending::Closed, 480),
            (Ending::OverBudget, 480),
            (Ending::RefusedByLookup, 480),
            (Ending::CalledTooOften, 486),
            (Ending::NoCapacity, 503),
            (Ending::AgentUnavailable, 503),
        ] {
            assert_eq!(status_code(Some(ending)), code, "{ending}");
        }
    }

    #[test]
    fn a_second_decision_is_ours_only_after_an_attempt_of_ours() {
        let decided = CallsError::AlreadyDecided;
        let after =
            |record: &StoredCall, was_received| outcome(record, &Effect::Accept, &decided, was_received);
        let mut record = record();
        assert_eq!(after(&record, false), CallEvent::LineGaveUp);
        assert_eq!(after(&record, true), CallEvent::Done(Effect::Accept));

        record.call.attempts = 2;
        assert_eq!(
            after(&record, false),
            CallEvent::Done(Effect::Accept),
            "an earlier process may have sent it"
        );
        record.call.unheard = 1;
        assert_eq!(after(&record, false), CallEvent::LineGaveUp);
    }

    #[test]
    fn a_call_that_is_gone_needs_no_more() {
        let (gone, mut record) = (CallsError::Gone, record());
        assert_eq!(outcome(&record, &Effect::Accept, &gone, false), CallEvent::CallGone(Effect::Accept));
        assert_eq!(outcome(&record, &Effect::Reject, &gone, false), CallEvent::Done(Effect::Reject));
        assert_eq!(outcome(&record, &Effect::Terminate, &gone, false), CallEvent::Refused(Effect::Terminate));

        let decided = CallsError::AlreadyDecided;
        assert_eq!(outcome(&record, &Effect::Reject, &decided, false), CallEvent::Done(Effect::Reject));
        record.call.accept_asked = true;
        assert_eq!(outcome(&record, &Effect::Reject, &decided, false), CallEvent::Refused(Effect::Reject));

        record.call.accepted_at = Some(Timestamp(8));
        assert_eq!(outcome(&record, &Effect::Terminate, &gone, false), CallEvent::Done(Effect::Terminate));
    }

    #[test]
    fn a_fault_counts_as_received_only_if_the_request_may_have_been() {
        let unanswered = CallsError::Unanswered { reason: String::new() };
        let unreached = CallsError::Unreached { reason: String::new() };
        let after = |error, was_received| outcome(&record(), &Effect::Accept, error, was_received);

        assert_eq!(after(&unanswered, false), CallEvent::Failed(Effect::Accept));
        assert_eq!(after(&unreached, true), CallEvent::Failed(Effect::Accept));
        assert_eq!(after(&unreached, false), CallEvent::NotReceived(Effect::Accept));
    }

    #[test]
    fn an_accept_that_is_refused_after_an_unanswered_one_is_in_doubt() {
        let rejected = CallsError::Misconfigured { code: String::new() };
        let refused = CallsError::Refused { status: 400, code: String::new(), message: String::new() };
        for (error, ending) in [
            (CallsError::Gone, Ending::CallerGaveUp),
            (refused, Ending::LineRefused),
            (rejected, Ending::LineRefused),
        ] {
            let mut record = record();
            let in_doubt = CallEvent::AcceptInDoubt { ending };
            assert_ne!(outcome(&record, &Effect::Accept, &error, false), in_doubt);
            assert_eq!(outcome(&record, &Effect::Accept, &error, true), in_doubt);

            record.call.attempts = 2;
            assert_eq!(outcome(&record, &Effect::Accept, &error, false), in_doubt);
        }
    }

    #[test]
    fn a_rejected_key_delays_a_calls_end_and_refuses_its_accept() {
        let rejected = CallsError::Misconfigured { code: "invalid_api_key".to_owned() };
        for effect in [Effect::Reject, Effect::Terminate] {
            assert_eq!(outcome(&record(), &effect, &rejected, false), CallEvent::NotReceived(effect));
        }

        let accept = outcome(&record(), &Effect::Accept, &rejected, false);

        assert_eq!(accept, CallEvent::Refused(Effect::Accept));
        assert!(may_end_later(&rejected) && !may_end_later(&CallsError::Gone));
    }

    fn record() -> StoredCall {
        StoredCall::ringing_by_sip("rtc_1", &"shop".into(), CallerNames::default(), false, Timestamp(7))
    }
}
