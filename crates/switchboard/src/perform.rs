//! Performs one effect of a call and returns the outcome as the call's next event.

use crate::assignment::choose;
use crate::control_api::ControlApiReply;
use crate::ending_message::{message_text, messages_for};
use crate::handled_call::HandledCall;
use crate::task_launcher::LaunchError;
use crate::{ResolvedAgent, Switchboard, graph_actions};
use agents::Agent;
use call::{Assignment, CallEvent, CallerDetails, Effect, Ending, Line, TaskId};
use internal_api::control_api::Offer;
use journal::JournalEvent;
use std::time::{Duration, Instant};
use store::StoredCall;
use store::lease::Lease;
use store::{BudgetedAction, LaunchClaim};
use tokio::time::timeout_at;
use whatsapp::{Graph, GraphError};

/// The pauses between attempts of `RunTask`. Without a live media task, the next tick may be a minute away.
const LAUNCH_PAUSES: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1_500), Duration::from_secs(3)];

/// The outcome of an effect: the call's next event, and the journal's events.
pub(crate) struct EffectOutcome {
    pub event: CallEvent,
    pub entries: Vec<JournalEvent>,
    /// The task's time to answer the offer, ms; journalled only if the call accepts the answer.
    pub took_ms: u64,
    /// The lease of the chosen task.
    pub lease: Option<Lease>,
}

impl EffectOutcome {
    pub(crate) fn of(event: CallEvent) -> Self {
        Self { event, entries: vec![], took_ms: 0, lease: None }
    }

    pub(crate) fn with_entry(event: CallEvent, entry: JournalEvent) -> Self {
        Self { entries: vec![entry], ..Self::of(event) }
    }
}

impl Switchboard {
    /// Performs one effect.
    ///
    /// # Errors
    /// When DynamoDB or TLS fails: the effect stays pending.
    pub(crate) async fn perform(
        &self,
        handled: &HandledCall,
        effect: &Effect,
    ) -> anyhow::Result<EffectOutcome> {
        let record = &handled.record;
        match effect {
            Effect::AssignTask => self.assign_task(handled).await,
            Effect::LaunchTask => self.launch(record).await,
            Effect::Offer(assignment) => self.offer(handled, assignment).await,
            Effect::CheckTask(assignment) => self.check(record, assignment).await,
            Effect::Release(assignment) => self.release(handled, assignment).await,
            Effect::TellCaller(ending) => Ok(self.message_caller(handled, *ending).await),
            Effect::PreAccept | Effect::Accept | Effect::Reject | Effect::Terminate => {
                Ok(self.act(handled, effect).await)
            }
        }
    }

    async fn assign_task(&self, handled: &HandledCall) -> anyhow::Result<EffectOutcome> {
        let (leases, turned_away) =
            tokio::try_join!(self.ready_tasks(handled.record.call.line), self.rejection(handled))?;
        if let Some(ending) = turned_away {
            return Ok(EffectOutcome::of(CallEvent::Rejected(ending)));
        }
        let call = &handled.record.call;
        Ok(match choose(leases, call.line, &call.refused_by, self.now().0) {
            Some(lease) => EffectOutcome {
                lease: Some(lease.clone()),
                ..EffectOutcome::of(CallEvent::TaskAssigned { task: lease.task })
            },
            None => EffectOutcome::of(CallEvent::NoTaskFree),
        })
    }

    async fn ready_tasks(&self, line: Line) -> anyhow::Result<Vec<Lease>> {
        let leases = if line.is_default() {
            self.store.ready_tasks().await
        } else {
            self.store.ready_tasks_with_lines().await
        };
        Ok(leases?)
    }

    /// Starts a media task. At the limit of tasks the effect fails, and the call keeps looking for a free slot.
    async fn launch(&self, record: &StoredCall) -> anyhow::Result<EffectOutcome> {
        let (call_ref, failed) = (&record.call_ref(), CallEvent::Failed(Effect::LaunchTask));
        let claimed = self.store.claim_launch(self.launcher.most(), call_ref, self.now().0).await?;
        let Some(mut claimed) = claimed else {
            tracing::warn!(%call_ref, "no media task started: the limit of tasks (MAX_TASKS) is reached");
            return Ok(EffectOutcome::of(failed));
        };
        if claimed.task.is_some() {
            // An earlier process started it and could not save that.
            return Ok(EffectOutcome::of(CallEvent::Done(Effect::LaunchTask)));
        }
        match self.run_task(record, &mut claimed).await? {
            Ok(arn) => {
                let (task, place) = (TaskId::from(arn.rsplit('/').next().unwrap_or_default()), claimed.slot);
                if let Err(error) = self.store.note_launch(place, call_ref, &task, self.now().0).await {
                    tracing::warn!(
                        %call_ref,
                        %task,
                        place,
                        "cannot note the started task in its launch claim, which expires by itself: {error:#}"
                    );
                }
                Ok(EffectOutcome::with_entry(
                    CallEvent::Done(Effect::LaunchTask),
                    JournalEvent::TaskLaunched { task },
                ))
            }
            Err(error) => {
                tracing::error!(%call_ref, "cannot start a media task: {error}");
                // After an unknown outcome a task may be starting: its claim expires by itself.
                if let LaunchError::Refused(_) | LaunchError::Throttled(_) = error {
                    self.store.release_launch(&claimed, call_ref, self.now().0).await?;
                }
                Ok(EffectOutcome::of(failed))
            }
        }
    }

    /// Calls `RunTask` until it succeeds or the attempt's time is over, which is before another process may start one.
    ///
    /// Refusals are counted in the claim, so that the next process repeats an unanswered request under the same client token, and a refused
    /// one under a new token.
    async fn run_task(
        &self,
        record: &StoredCall,
        claimed: &mut LaunchClaim,
    ) -> anyhow::Result<Result<String, LaunchError>> {
        let (call_ref, until) = (&record.call_ref(), self.deadline(record));
        let mut is_unknown = false;
        let mut pauses = LAUNCH_PAUSES.into_iter();
        loop {
            let launched = timeout_at(until, self.launcher.launch(call_ref, claimed.refusals)).await;
            let error = match launched {
                Ok(Ok(arn)) => return Ok(Ok(arn)),
                Ok(Err(error)) => error,
                Err(_) => LaunchError::Unknown("the attempt's time is over".to_owned()),
            };
            match &error {
                LaunchError::Refused(_) => {
                    if !self.store.note_launch_refused(claimed, call_ref).await? {
                        let reason = "another process continues the call".to_owned();
                        return Ok(Err(LaunchError::Unknown(reason)));
                    }
                }
                LaunchError::Throttled(_) => {}
                LaunchError::Unknown(_) => is_unknown = true,
            }
            let pause = pauses.next().filter(|pause| tokio::time::Instant::now() + *pause < until);
            match (pause, error) {
                (Some(pause), _) => tokio::time::sleep(pause).await,
                (None, LaunchError::Refused(reason) | LaunchError::Throttled(reason)) if is_unknown => {
                    return Ok(Err(LaunchError::Unknown(reason)));
                }
                (None, error) => return Ok(Err(error)),
            }
        }
    }

    pub(crate) fn deadline(&self, record: &StoredCall) -> tokio::time::Instant {
        tokio::time::Instant::now() + record.call.retry_window(self.now())
    }

    async fn offer(&self, handled: &HandledCall, assignment: &Assignment) -> anyhow::Result<EffectOutcome> {
        let record = &handled.record;
        let is_ungreeted = async { Ok(self.is_ungreeted(record).await) };
        let (lease, resolved, is_ungreeted) =
            tokio::try_join!(self.lease_of(handled, &assignment.task), self.agent_of(handled), is_ungreeted)?;
        let Some(lease) = lease else {
            return Ok(assignment_refused(assignment, "it has no lease any more".into()));
        };
        let offer = Offer { is_ungreeted, ..self.offer_of(record, assignment, resolved) };
        let asked_at = Instant::now();
        let mut reply = self.control_api.offer(&lease, &record.call_ref(), &offer).await?;
        let was_silent = matches!(reply, ControlApiReply::NoAnswer(_));
        if was_silent {
            // A pooled connection may have died. A repeated offer gets the same answer from the task.
            reply = self.control_api.offer(&lease, &record.call_ref(), &offer).await?;
        }
        Ok(match reply {
            ControlApiReply::Done(answer) => EffectOutcome {
                took_ms: asked_at.elapsed().as_millis() as u64,
                ..EffectOutcome::of(CallEvent::Answered { fence: assignment.fence, answer })
            },
            ControlApiReply::Unanswerable(reason) => {
                EffectOutcome::with_entry(CallEvent::Unanswerable, JournalEvent::OfferUnanswerable { reason })
            }
            ControlApiReply::Unexpected(reason) | ControlApiReply::NoAnswer(reason) => {
                assignment_unanswered(assignment, reason)
            }
            // This answers the second request: the first may have been accepted.
            ControlApiReply::Full(reason) if was_silent => assignment_unanswered(assignment, reason),
            ControlApiReply::Full(reason) => assignment_refused(assignment, reason),
            ControlApiReply::UnknownCall => {
                assignment_refused(assignment, "its control API has no such path".into())
            }
            ControlApiReply::Unauthorized => {
                assignment_refused(assignment, "it knows none of our keys".into())
            }
        })
    }

    fn offer_of(&self, record: &StoredCall, assignment: &Assignment, resolved: &ResolvedAgent) -> Offer {
        Offer {
            fence: assignment.fence,
            version: record.version,
            number: record.number.clone(),
            line: record.call.line,
            realtime_call: record.realtime_call.clone(),
            accepted_at_ms: record.call.accepted_at.map(|at| at.0),
            is_ungreeted: false,
            offer: record.offer.clone().unwrap_or_default(),
            rang_at_ms: record.call.rang_at.0,
            ring_deadline_ms: record.call.ring_deadline.0,
            agent: resolved.text.clone(),
            hides_number: record.caller_number.is_none(),
            caller: self.control_api.pseudonym(&record.caller()),
            details: self.details_for(record, resolved),
            is_chosen: record.chosen_agent().is_some(),
            language: record.chosen.as_ref().and_then(|chosen| chosen.language.clone()),
            token: record.token(assignment.fence).map(str::to_owned),
        }
    }

    /// Returns what the line's service says about the caller, if the agent's file asks for it.
    fn details_for(&self, record: &StoredCall, resolved: &ResolvedAgent) -> Option<CallerDetails> {
        let asks = resolved.agent.needs_caller_details();
        asks.then(|| record.caller_details()).filter(|details| !details.is_empty())
    }

    /// Whether a call was accepted, and no task has asked for its greeting. Where the journal cannot be read, one has, as in most calls that
    /// are taken over.
    async fn is_ungreeted(&self, record: &StoredCall) -> bool {
        if record.call.accepted_at.is_none() {
            return false;
        }
        match self.store.journal_of(&record.call_ref()).await {
            Ok(entries) => {
                !entries.iter().any(|entry| matches!(entry.event, JournalEvent::AgentReady { .. }))
            }
            Err(error) => {
                let call_ref = record.call_ref();
                tracing::warn!(%call_ref, "cannot read whether the caller was greeted, not greeted again: {error:#}");
                false
            }
        }
    }

    async fn check(&self, record: &StoredCall, assignment: &Assignment) -> anyhow::Result<EffectOutcome> {
        let fence = assignment.fence;
        let lease = self.store.lease(&assignment.task).await?;
        let Some(lease) = lease else { return Ok(silent(assignment, None)) };
        Ok(match self.control_api.check_call(&lease, &record.call_ref()).await? {
            // Any reply under the task's own certificate proves that the task lives.
            ControlApiReply::Done(())
            | ControlApiReply::Full(_)
            | ControlApiReply::Unanswerable(_)
            | ControlApiReply::Unauthorized
            | ControlApiReply::Unexpected(_) => EffectOutcome::of(CallEvent::TaskAlive { fence }),
            ControlApiReply::UnknownCall => EffectOutcome::of(CallEvent::TaskStopped { fence }),
            ControlApiReply::NoAnswer(_) => silent(assignment, Some(lease.until_ms)),
        })
    }

    async fn release(&self, handled: &HandledCall, assignment: &Assignment) -> anyhow::Result<EffectOutcome> {
        let record = &handled.record;
        let done = EffectOutcome::of(CallEvent::Done(Effect::Release(assignment.clone())));
        let newer = record
            .call
            .assignment
            .as_ref()
            .filter(|now| now.task == assignment.task && now.fence > assignment.fence);
        if newer.is_some() {
            // The task releases the older assignment when it takes the newer one; a task of an older release would end both.
            return Ok(done);
        }
        let Some(lease) = self.lease_of(handled, &assignment.task).await? else { return Ok(done) };
        Ok(match self.control_api.release(&lease, &record.call_ref(), assignment.fence).await? {
            ControlApiReply::Done(()) | ControlApiReply::UnknownCall => done,
            ControlApiReply::Full(_)
            | ControlApiReply::Unanswerable(_)
            | ControlApiReply::Unauthorized
            | ControlApiReply::Unexpected(_)
            | ControlApiReply::NoAnswer(_) => {
                EffectOutcome::of(CallEvent::Failed(Effect::Release(assignment.clone())))
            }
        })
    }

    /// Sends the caller a message about an ending, at most once: it is tried again only when Meta says that nothing was done.
    async fn message_caller(&self, handled: &HandledCall, ending: Ending) -> EffectOutcome {
        let record = &handled.record;
        let effect = Effect::TellCaller(ending);
        // The effect may have the nearest word that the previous release knows.
        let ending =
            record.call.ending().filter(|own| own.for_previous_release() == ending).unwrap_or(ending);
        // The message is not retried, so failing to read the number's or agent's own text falls back to defaults.
        let settings = self.number_settings(handled).await.cloned().unwrap_or_default();
        let resolved = self.agent_of(handled).await.unwrap_or(&self.agent);
        let broke_off = record.call.accepted_at.is_some();
        if !self.may_message_caller(record, &resolved.agent).await {
            let (action, budget) = (BudgetedAction::Notice.name().to_owned(), "hour".to_owned());
            return EffectOutcome::with_entry(
                CallEvent::Done(effect),
                JournalEvent::ActionRefused { action, budget },
            );
        }
        let refusal = record.chosen.as_ref().and_then(|chosen| chosen.message.as_deref());
        let messages = messages_for(record, &resolved.agent);
        let usual = message_text(ending, broke_off, &settings, &messages);
        let text = refusal.filter(|_| ending == Ending::RefusedByLookup).unwrap_or(usual);
        let entry = match self.send_with_retry(record, text).await {
            Ok(message) => {
                self.keep_message_ref(record, message.as_deref(), "").await;
                JournalEvent::CallerTold { why: ending.into() }
            }
            Err(error) => meta_trouble(&wire_name(&effect), &error),
        };
        EffectOutcome::with_entry(CallEvent::Done(effect), entry)
    }

    /// Whether the caller's hourly budget allows one more message. When the table cannot be read, it does.
    async fn may_message_caller(&self, record: &StoredCall, agent: &Agent) -> bool {
        let Some(pseudonym) = self.control_api.pseudonym(&record.caller()) else { return true };
        let (most, now_ms) = (agent.caps.notices_an_hour, self.now().0);
        let may = self.store.may_act(&record.number, &pseudonym, BudgetedAction::Notice, most, now_ms).await;
        may.unwrap_or_else(|error| {
            tracing::error!(
                call_ref = %record.call_ref(),
                "cannot check the caller's message budget, message sent anyway: {error:#}"
            );
            true
        })
    }

    async fn act(&self, handled: &HandledCall, effect: &Effect) -> EffectOutcome {
        let record = &handled.record;
        if let Some(call) = record.realtime_call.as_deref() {
            return self.act_at_openai(handled, call, effect).await;
        }
        let until = self.deadline(record);
        let perform = async |graph: &Graph| graph_actions::act(graph, record, effect, until).await;
        let (event, error) = self.send_to_meta(perform, |(_, error)| error.as_ref()).await;
        EffectOutcome {
            entries: error.iter().map(|error| meta_trouble(&wire_name(effect), error)).collect(),
            ..EffectOutcome::of(event)
        }
    }
}

pub(crate) fn meta_trouble(action: &str, error: &GraphError) -> JournalEvent {
    JournalEvent::MetaTrouble {
        action: action.to_owned(),
        code: error.code(),
        reason: error.to_string(),
        cure: error.cure().to_owned(),
    }
}

fn assignment_refused(assignment: &Assignment, reason: String) -> EffectOutcome {
    let entry = JournalEvent::SeatRefused { task: assignment.task.clone(), reason };
    EffectOutcome::with_entry(CallEvent::AssignmentRefused { fence: assignment.fence }, entry)
}

/// The task may have accepted the call, so it is released.
fn assignment_unanswered(assignment: &Assignment, reason: String) -> EffectOutcome {
    let entry = JournalEvent::SeatRefused { task: assignment.task.clone(), reason };
    EffectOutcome::with_entry(CallEvent::AssignmentUnanswered { fence: assignment.fence }, entry)
}

fn silent(assignment: &Assignment, lease: Option<u64>) -> EffectOutcome {
    let entry = JournalEvent::TaskSilent { task: assignment.task.clone() };
    EffectOutcome::with_entry(CallEvent::TaskSilent { fence: assignment.fence, lease }, entry)
}

/// Returns the name of an effect, as the journal has it.
pub(crate) fn wire_name(effect: &Effect) -> String {
    match serde_json::to_value(effect) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}
