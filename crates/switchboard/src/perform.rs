//! Performs one effect of a call. What came of it is the call's next event.

use crate::assignment::choose;
use crate::control_api::ControlApiReply;
use crate::stored_call::StoredCall;
use crate::task_launcher::LaunchError;
use crate::{ResolvedAgent, Switchboard, graph_actions};
use agents::{Agent, Messages};
use call::{Assignment, CallEvent, Effect, Ending};
use internal_api::control_api::Offer;
use journal::JournalEvent as Happened;
use std::time::{Duration, Instant};
use store::{BudgetedAction, LaunchClaim, NumberSettings};
use tokio::time::timeout_at;
use whatsapp::{Graph, GraphError};

/// How long to wait before asking ECS again for a task. Where none lives, the next tick may be a minute away.
const LAUNCH_PAUSES: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1_500), Duration::from_secs(3)];

/// What came of an effect: the call's next event, and what the journal says of it.
pub(crate) struct EffectOutcome {
    pub event: CallEvent,
    pub entries: Vec<Happened>,
    /// How long the task took to answer, if that is what it did. For the journal, should the call take its answer.
    pub took_ms: u64,
    /// Whether the task that was chosen returns the token of its assignment.
    pub returns_tokens: bool,
}

impl EffectOutcome {
    pub(crate) fn of(event: CallEvent) -> Self {
        Self { event, entries: vec![], took_ms: 0, returns_tokens: false }
    }

    fn noting(event: CallEvent, entry: Happened) -> Self {
        Self { entries: vec![entry], ..Self::of(event) }
    }
}

impl Switchboard {
    /// Performs one effect. Errors are ours alone (no DynamoDB, no TLS): the effect stays pending.
    pub(crate) async fn perform(
        &self,
        record: &StoredCall,
        effect: &Effect,
    ) -> anyhow::Result<EffectOutcome> {
        match effect {
            Effect::AssignTask => self.assign_task(record).await,
            Effect::LaunchTask => self.launch(record).await,
            Effect::Offer(assignment) => self.offer(record, assignment).await,
            Effect::CheckTask(assignment) => self.check(record, assignment).await,
            Effect::Release(assignment) => self.release(record, assignment).await,
            Effect::TellCaller(ending) => Ok(self.tell(record, *ending).await),
            Effect::PreAccept | Effect::Accept | Effect::Reject | Effect::Terminate => {
                Ok(self.act(record, effect).await)
            }
        }
    }

    async fn assign_task(&self, record: &StoredCall) -> anyhow::Result<EffectOutcome> {
        let (leases, turned_away) = tokio::try_join!(self.ledger.ready_tasks(), self.turned_away(record))?;
        if let Some(ending) = turned_away {
            return Ok(EffectOutcome::of(CallEvent::Rejected(ending)));
        }
        Ok(match choose(leases, &record.call.refused_by, self.now().0) {
            Some(lease) => {
                let returns_tokens = lease.returns_tokens;
                EffectOutcome {
                    returns_tokens,
                    ..EffectOutcome::of(CallEvent::TaskAssigned { task: lease.task })
                }
            }
            None => EffectOutcome::of(CallEvent::NoTaskFree),
        })
    }

    /// Unless there are as many tasks as may be: then the call goes on looking for a slot that becomes free.
    async fn launch(&self, record: &StoredCall) -> anyhow::Result<EffectOutcome> {
        let (call_ref, failed) = (record.call_ref(), CallEvent::Failed(Effect::LaunchTask));
        let claimed = self.ledger.claim_launch(self.launcher.most(), call_ref, self.now().0).await?;
        let Some(mut claimed) = claimed else {
            tracing::warn!(call_ref, "Started no media task: there are as many as there may be");
            return Ok(EffectOutcome::of(failed));
        };
        if claimed.task.is_some() {
            // An earlier process started it, and could not save that.
            return Ok(EffectOutcome::of(CallEvent::Done(Effect::LaunchTask)));
        }
        match self.run_task(record, &mut claimed).await? {
            Ok(arn) => {
                let (task, place) = (arn.rsplit('/').next().unwrap_or_default().to_owned(), claimed.slot);
                if let Err(error) = self.ledger.note_launch(place, call_ref, &task, self.now().0).await {
                    tracing::warn!(
                        call_ref,
                        task,
                        place,
                        "The place of a started task lapses by itself: {error:#}"
                    );
                }
                Ok(EffectOutcome::noting(
                    CallEvent::Done(Effect::LaunchTask),
                    Happened::TaskLaunched { task },
                ))
            }
            Err(error) => {
                tracing::error!(call_ref, "Cannot start a media task: {error}");
                // Where ECS did not say, a task may be starting: its place lapses by itself.
                if let LaunchError::Refused(_) | LaunchError::Throttled(_) = error {
                    self.ledger.release_launch(&claimed, call_ref, self.now().0).await?;
                }
                Ok(EffectOutcome::of(failed))
            }
        }
    }

    /// Ends before another process may begin. What ECS has refused is counted in the claim, so that each process that goes on with the
    /// call repeats the request that is unanswered, and none that is refused.
    async fn run_task(
        &self,
        record: &StoredCall,
        claimed: &mut LaunchClaim,
    ) -> anyhow::Result<Result<String, LaunchError>> {
        let (call_ref, until) = (record.call_ref(), self.tries_until(record));
        let mut is_unknown = false;
        let mut pauses = LAUNCH_PAUSES.into_iter();
        loop {
            let launched = timeout_at(until, self.launcher.launch(call_ref, claimed.refusals)).await;
            let error = match launched {
                Ok(Ok(arn)) => return Ok(Ok(arn)),
                Ok(Err(error)) => error,
                Err(_) => LaunchError::Unknown("no time was left to wait".to_owned()),
            };
            match &error {
                LaunchError::Refused(_) => {
                    if !self.ledger.note_launch_refused(claimed, call_ref).await? {
                        let reason = "another process has gone on with the call".to_owned();
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

    fn tries_until(&self, record: &StoredCall) -> tokio::time::Instant {
        tokio::time::Instant::now() + record.call.retry_window(self.now())
    }

    async fn offer(&self, record: &StoredCall, assignment: &Assignment) -> anyhow::Result<EffectOutcome> {
        let (lease, appointed) =
            tokio::try_join!(self.ledger.lease(&assignment.task), self.appointed_for(&record.number))?;
        let Some(lease) = lease else {
            return Ok(assignment_refused(assignment, "it has no lease any more".into()));
        };
        let offer = self.offer_of(record, assignment, &appointed);
        let asked_at = Instant::now();
        let mut knock = self.knocker.offer(&lease, record.call_ref(), &offer).await?;
        let was_silent = matches!(knock, ControlApiReply::Silent(_));
        if was_silent {
            // A connection that was kept may have died since. Asked again, the task gives the same answer.
            knock = self.knocker.offer(&lease, record.call_ref(), &offer).await?;
        }
        Ok(match knock {
            ControlApiReply::Opened(answer) => EffectOutcome {
                took_ms: asked_at.elapsed().as_millis() as u64,
                ..EffectOutcome::of(CallEvent::Answered { fence: assignment.fence, answer })
            },
            ControlApiReply::Impossible(reason) => {
                EffectOutcome::noting(CallEvent::Unanswerable, Happened::OfferUnanswerable { reason })
            }
            ControlApiReply::Odd(reason) | ControlApiReply::Silent(reason) => {
                assignment_unanswered(assignment, reason)
            }
            // What it says now, it says of the second request: the first may have reached it.
            ControlApiReply::Full(reason) if was_silent => assignment_unanswered(assignment, reason),
            ControlApiReply::Full(reason) => assignment_refused(assignment, reason),
            ControlApiReply::Unknown => assignment_refused(assignment, "it has no such door".into()),
            ControlApiReply::Stranger => assignment_refused(assignment, "it knows no key of ours".into()),
        })
    }

    fn offer_of(&self, record: &StoredCall, assignment: &Assignment, appointed: &ResolvedAgent) -> Offer {
        Offer {
            fence: assignment.fence,
            version: record.version,
            number: record.number.clone(),
            offer: record.offer.clone(),
            rang_at_ms: record.call.rang_at.0,
            ring_deadline_ms: record.call.ring_deadline.0,
            agent: appointed.text.clone(),
            hides_number: record.caller_number.is_none(),
            caller: self.knocker.mark(&record.caller()),
            token: record.token(assignment.fence).map(str::to_owned),
        }
    }

    async fn check(&self, record: &StoredCall, assignment: &Assignment) -> anyhow::Result<EffectOutcome> {
        let fence = assignment.fence;
        let lease = self.ledger.lease(&assignment.task).await?;
        let Some(lease) = lease else { return Ok(silent(assignment, None)) };
        Ok(match self.knocker.ask_after(&lease, record.call_ref()).await? {
            // Whoever answers with the task's own certificate is the task, whatever it says.
            ControlApiReply::Opened(())
            | ControlApiReply::Full(_)
            | ControlApiReply::Impossible(_)
            | ControlApiReply::Stranger
            | ControlApiReply::Odd(_) => EffectOutcome::of(CallEvent::TaskAlive { fence }),
            ControlApiReply::Unknown => EffectOutcome::of(CallEvent::TaskStopped { fence }),
            ControlApiReply::Silent(_) => silent(assignment, Some(lease.until_ms)),
        })
    }

    async fn release(&self, record: &StoredCall, assignment: &Assignment) -> anyhow::Result<EffectOutcome> {
        let done = EffectOutcome::of(CallEvent::Done(Effect::Release(assignment.clone())));
        let newer = record
            .call
            .assignment
            .as_ref()
            .filter(|now| now.task == assignment.task && now.fence > assignment.fence);
        if newer.is_some() {
            // The task lets go of the older assignment when it takes the newer one; one of an older release would end both.
            return Ok(done);
        }
        let Some(lease) = self.ledger.lease(&assignment.task).await? else { return Ok(done) };
        Ok(match self.knocker.release(&lease, record.call_ref(), assignment.fence).await? {
            ControlApiReply::Opened(()) | ControlApiReply::Unknown => done,
            ControlApiReply::Full(_)
            | ControlApiReply::Impossible(_)
            | ControlApiReply::Stranger
            | ControlApiReply::Odd(_)
            | ControlApiReply::Silent(_) => {
                EffectOutcome::of(CallEvent::Failed(Effect::Release(assignment.clone())))
            }
        })
    }

    /// At most once: but for one more try where Meta says that it did nothing, it is not tried again.
    async fn tell(&self, record: &StoredCall, ending: Ending) -> EffectOutcome {
        let effect = Effect::TellCaller(ending);
        // This is the one try: it must not fail for want of the number's or the agent's own words.
        let settings = self.ledger.number(&record.number).await.unwrap_or_default();
        let appointed = self.appointed(&settings).await.unwrap_or_else(|_| self.agent.clone());
        let broke_off = record.call.accepted_at.is_some();
        if !self.may_tell(record, &appointed.agent).await {
            let (action, budget) = (BudgetedAction::Notice.name().to_owned(), "hour".to_owned());
            return EffectOutcome::noting(
                CallEvent::Done(effect),
                Happened::ActionRefused { action, budget },
            );
        }
        let text = words(ending, broke_off, &settings, &appointed.agent.messages);
        let entry = match self.try_to_send(record, text).await {
            Ok(message) => {
                self.keep_name_of(record, message.as_deref(), "").await;
                Happened::CallerTold { why: word(&ending) }
            }
            Err(error) => trouble(&word(&effect), &error),
        };
        EffectOutcome::noting(CallEvent::Done(effect), entry)
    }

    /// Whether the caller may be told by message once more within the hour. A table that cannot say so refuses nothing.
    async fn may_tell(&self, record: &StoredCall, agent: &Agent) -> bool {
        let Some(mark) = self.knocker.mark(&record.caller()) else { return true };
        let (most, now_ms) = (agent.caps.notices_an_hour, self.now().0);
        let may = self.ledger.may_act(&record.number, &mark, BudgetedAction::Notice, most, now_ms).await;
        may.unwrap_or_else(|error| {
            tracing::error!(call_ref = record.call_ref(), "A caller is told without a budget: {error:#}");
            true
        })
    }

    async fn act(&self, record: &StoredCall, effect: &Effect) -> EffectOutcome {
        let until = self.tries_until(record);
        let act = async |graph: &Graph| graph_actions::act(graph, record, effect, until).await;
        let (event, error) = self.at_meta(act, |(_, error)| error.as_ref()).await;
        EffectOutcome {
            entries: error.iter().map(|error| trouble(&word(effect), error)).collect(),
            ..EffectOutcome::of(event)
        }
    }
}

/// What a caller is told who could not talk, or not to the end: then the talk `broke_off`.
fn words<'a>(
    ending: Ending,
    broke_off: bool,
    settings: &'a NumberSettings,
    messages: &'a Messages,
) -> &'a str {
    match ending {
        Ending::Closed => &messages.closed,
        Ending::OverBudget => &messages.spent,
        Ending::CalledTooOften => &messages.too_many_calls,
        Ending::Lost => settings.lost.as_ref().unwrap_or(&messages.lost),
        Ending::CallerHungUp
        | Ending::CallerGaveUp
        | Ending::CallerVanished
        | Ending::AgentSaidGoodbye
        | Ending::TookTooLong
        | Ending::BothSilent
        | Ending::CapReached
        | Ending::AgentUnavailable
        | Ending::NoCapacity
        | Ending::OfferUnanswerable
        | Ending::MetaRefused
        | Ending::MediaNeverConnected
        | Ending::MediaFailed
        | Ending::Drained => match broke_off {
            true => settings.lost.as_ref().unwrap_or(&messages.lost),
            false => settings.sorry.as_ref().unwrap_or(&messages.busy),
        },
    }
}

pub(crate) fn trouble(action: &str, error: &GraphError) -> Happened {
    Happened::MetaTrouble {
        action: action.to_owned(),
        code: error.code(),
        reason: error.to_string(),
        cure: error.cure().to_owned(),
    }
}

fn assignment_refused(assignment: &Assignment, reason: String) -> EffectOutcome {
    let entry = Happened::SeatRefused { task: assignment.task.clone(), reason };
    EffectOutcome::noting(CallEvent::AssignmentRefused { fence: assignment.fence }, entry)
}

/// It may have taken the call: it is released.
fn assignment_unanswered(assignment: &Assignment, reason: String) -> EffectOutcome {
    let entry = Happened::SeatRefused { task: assignment.task.clone(), reason };
    EffectOutcome::noting(CallEvent::AssignmentUnanswered { fence: assignment.fence }, entry)
}

fn silent(assignment: &Assignment, lease: Option<u64>) -> EffectOutcome {
    let entry = Happened::TaskSilent { task: assignment.task.clone() };
    EffectOutcome::noting(CallEvent::TaskSilent { fence: assignment.fence, lease }, entry)
}

/// The name of an ending or effect, as it is stored.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbers_own_words_come_before_its_agents_where_it_has_any() {
        let messages = Agent::built_in().messages;
        let own = NumberSettings { sorry: Some("Sorry!".into()), lost: Some("Lost!".into()), agent: None };
        let none = NumberSettings::default();

        assert_eq!(words(Ending::NoCapacity, false, &own, &messages), "Sorry!");
        assert_eq!(words(Ending::Lost, false, &own, &messages), "Lost!");
        assert_eq!(words(Ending::NoCapacity, false, &none, &messages), messages.busy);
        assert_eq!(words(Ending::Lost, false, &none, &messages), messages.lost);
        assert_eq!(words(Ending::AgentUnavailable, true, &none, &messages), messages.lost);
        assert_eq!(words(Ending::Closed, false, &own, &messages), messages.closed);
        assert_eq!(words(Ending::OverBudget, false, &own, &messages), messages.spent);
        assert_eq!(words(Ending::CalledTooOften, false, &own, &messages), messages.too_many_calls);
    }
}
