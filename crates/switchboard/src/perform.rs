//! Performs one effect of a call. What came of it is the call's next event.

use crate::door::Knock;
use crate::launch::NotLaunched;
use crate::record::Record;
use crate::seats::choose;
use crate::{Appointed, Switchboard, meta};
use agents::{Agent, Messages};
use call::{Effect, Ending, Event, Seat};
use journal::Event as Happened;
use ledger::{Action, Claimed, NumberSettings};
use protocol::door::Offer;
use std::time::{Duration, Instant};
use tokio::time::timeout_at;
use whatsapp::{Graph, GraphError};

/// How long to wait before asking ECS again for a task. Where none lives, the next tick may be a minute away.
const LAUNCH_PAUSES: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1_500), Duration::from_secs(3)];

/// What came of an effect: the call's next event, and what the journal says of it.
pub(crate) struct Outcome {
    pub event: Event,
    pub entries: Vec<Happened>,
    /// How long the task took to answer, if that is what it did. For the journal, should the call take its answer.
    pub took_ms: u64,
    /// Whether the task that was chosen returns the token of its seat.
    pub returns_tokens: bool,
}

impl Outcome {
    pub(crate) fn of(event: Event) -> Self {
        Self { event, entries: vec![], took_ms: 0, returns_tokens: false }
    }

    fn noting(event: Event, entry: Happened) -> Self {
        Self { entries: vec![entry], ..Self::of(event) }
    }
}

impl Switchboard {
    /// Performs one effect. Errors are ours alone (no DynamoDB, no TLS): the effect stays pending.
    pub(crate) async fn perform(&self, record: &Record, effect: &Effect) -> anyhow::Result<Outcome> {
        match effect {
            Effect::FindSeat => self.find_seat(record).await,
            Effect::LaunchTask => self.launch(record).await,
            Effect::Offer(seat) => self.offer(record, seat).await,
            Effect::CheckTask(seat) => self.check(record, seat).await,
            Effect::Release(seat) => self.release(record, seat).await,
            Effect::TellCaller(ending) => Ok(self.tell(record, *ending).await),
            Effect::PreAccept | Effect::Accept | Effect::Reject | Effect::Terminate => {
                Ok(self.act(record, effect).await)
            }
        }
    }

    async fn find_seat(&self, record: &Record) -> anyhow::Result<Outcome> {
        let (leases, turned_away) = tokio::try_join!(self.ledger.ready_tasks(), self.turned_away(record))?;
        if let Some(ending) = turned_away {
            return Ok(Outcome::of(Event::TurnedAway(ending)));
        }
        Ok(match choose(leases, &record.call.refused_by, self.now().0) {
            Some(lease) => {
                let returns_tokens = lease.returns_tokens;
                Outcome { returns_tokens, ..Outcome::of(Event::SeatFound { task: lease.task }) }
            }
            None => Outcome::of(Event::NoSeat),
        })
    }

    /// Unless there are as many tasks as may be: then the call goes on looking for a slot that becomes free.
    async fn launch(&self, record: &Record) -> anyhow::Result<Outcome> {
        let (call_ref, failed) = (record.call_ref(), Event::Failed(Effect::LaunchTask));
        let claimed = self.ledger.claim_launch(self.launcher.most(), call_ref, self.now().0).await?;
        let Some(mut claimed) = claimed else {
            tracing::warn!(call_ref, "Started no media task: there are as many as there may be");
            return Ok(Outcome::of(failed));
        };
        if claimed.task.is_some() {
            // An earlier process started it, and could not save that.
            return Ok(Outcome::of(Event::Done(Effect::LaunchTask)));
        }
        match self.run_task(record, &mut claimed).await? {
            Ok(arn) => {
                let (task, place) = (arn.rsplit('/').next().unwrap_or_default().to_owned(), claimed.place);
                if let Err(error) = self.ledger.note_launch(place, call_ref, &task, self.now().0).await {
                    tracing::warn!(
                        call_ref,
                        task,
                        place,
                        "The place of a started task lapses by itself: {error:#}"
                    );
                }
                Ok(Outcome::noting(Event::Done(Effect::LaunchTask), Happened::TaskLaunched { task }))
            }
            Err(error) => {
                tracing::error!(call_ref, "Cannot start a media task: {error}");
                // Where ECS did not say, a task may be starting: its place lapses by itself.
                if let NotLaunched::Refused(_) | NotLaunched::Throttled(_) = error {
                    self.ledger.give_up_launch(&claimed, call_ref, self.now().0).await?;
                }
                Ok(Outcome::of(failed))
            }
        }
    }

    /// Ends before another process may begin. What ECS has refused is counted in the claim, so that each process that goes on with the
    /// call repeats the request that is unanswered, and none that is refused.
    async fn run_task(
        &self,
        record: &Record,
        claimed: &mut Claimed,
    ) -> anyhow::Result<Result<String, NotLaunched>> {
        let (call_ref, until) = (record.call_ref(), self.tries_until(record));
        let mut is_unknown = false;
        let mut pauses = LAUNCH_PAUSES.into_iter();
        loop {
            let launched = timeout_at(until, self.launcher.launch(call_ref, claimed.refusals)).await;
            let error = match launched {
                Ok(Ok(arn)) => return Ok(Ok(arn)),
                Ok(Err(error)) => error,
                Err(_) => NotLaunched::Unknown("no time was left to wait".to_owned()),
            };
            match &error {
                NotLaunched::Refused(_) => {
                    if !self.ledger.note_launch_refused(claimed, call_ref).await? {
                        let reason = "another process has gone on with the call".to_owned();
                        return Ok(Err(NotLaunched::Unknown(reason)));
                    }
                }
                NotLaunched::Throttled(_) => {}
                NotLaunched::Unknown(_) => is_unknown = true,
            }
            let pause = pauses.next().filter(|pause| tokio::time::Instant::now() + *pause < until);
            match (pause, error) {
                (Some(pause), _) => tokio::time::sleep(pause).await,
                (None, NotLaunched::Refused(reason) | NotLaunched::Throttled(reason)) if is_unknown => {
                    return Ok(Err(NotLaunched::Unknown(reason)));
                }
                (None, error) => return Ok(Err(error)),
            }
        }
    }

    fn tries_until(&self, record: &Record) -> tokio::time::Instant {
        tokio::time::Instant::now() + record.call.tries_for(self.now())
    }

    async fn offer(&self, record: &Record, seat: &Seat) -> anyhow::Result<Outcome> {
        let (lease, appointed) =
            tokio::try_join!(self.ledger.lease(&seat.task), self.appointed_for(&record.number))?;
        let Some(lease) = lease else {
            return Ok(seat_refused(seat, "it has no lease any more".into()));
        };
        let offer = self.offer_of(record, seat, &appointed);
        let asked_at = Instant::now();
        let mut knock = self.knocker.offer(&lease, record.call_ref(), &offer).await?;
        let was_silent = matches!(knock, Knock::Silent(_));
        if was_silent {
            // A connection that was kept may have died since. Asked again, the task gives the same answer.
            knock = self.knocker.offer(&lease, record.call_ref(), &offer).await?;
        }
        Ok(match knock {
            Knock::Opened(answer) => Outcome {
                took_ms: asked_at.elapsed().as_millis() as u64,
                ..Outcome::of(Event::Answered { fence: seat.fence, answer })
            },
            Knock::Impossible(reason) => {
                Outcome::noting(Event::Unanswerable, Happened::OfferUnanswerable { reason })
            }
            Knock::Odd(reason) | Knock::Silent(reason) => seat_silent(seat, reason),
            // What it says now, it says of the second request: the first may have reached it.
            Knock::Full(reason) if was_silent => seat_silent(seat, reason),
            Knock::Full(reason) => seat_refused(seat, reason),
            Knock::Unknown => seat_refused(seat, "it has no such door".into()),
            Knock::Stranger => seat_refused(seat, "it knows no key of ours".into()),
        })
    }

    fn offer_of(&self, record: &Record, seat: &Seat, appointed: &Appointed) -> Offer {
        Offer {
            fence: seat.fence,
            version: record.version,
            number: record.number.clone(),
            offer: record.offer.clone(),
            rang_at_ms: record.call.rang_at.0,
            ring_deadline_ms: record.call.ring_deadline.0,
            agent: appointed.text.clone(),
            hides_number: record.caller_number.is_none(),
            caller: self.knocker.mark(&record.caller()),
            token: record.token(seat.fence).map(str::to_owned),
        }
    }

    async fn check(&self, record: &Record, seat: &Seat) -> anyhow::Result<Outcome> {
        let fence = seat.fence;
        let lease = self.ledger.lease(&seat.task).await?;
        let Some(lease) = lease else { return Ok(silent(seat, None)) };
        Ok(match self.knocker.ask_after(&lease, record.call_ref()).await? {
            // Whoever answers with the task's own certificate is the task, whatever it says.
            Knock::Opened(()) | Knock::Full(_) | Knock::Impossible(_) | Knock::Stranger | Knock::Odd(_) => {
                Outcome::of(Event::TaskAlive { fence })
            }
            Knock::Unknown => Outcome::of(Event::TaskStopped { fence }),
            Knock::Silent(_) => silent(seat, Some(lease.until_ms)),
        })
    }

    async fn release(&self, record: &Record, seat: &Seat) -> anyhow::Result<Outcome> {
        let done = Outcome::of(Event::Done(Effect::Release(seat.clone())));
        let newer = record.call.seat.as_ref().filter(|now| now.task == seat.task && now.fence > seat.fence);
        if newer.is_some() {
            // The task lets go of the older seat when it takes the newer one; one of an older release would end both.
            return Ok(done);
        }
        let Some(lease) = self.ledger.lease(&seat.task).await? else { return Ok(done) };
        Ok(match self.knocker.release(&lease, record.call_ref(), seat.fence).await? {
            Knock::Opened(()) | Knock::Unknown => done,
            Knock::Full(_) | Knock::Impossible(_) | Knock::Stranger | Knock::Odd(_) | Knock::Silent(_) => {
                Outcome::of(Event::Failed(Effect::Release(seat.clone())))
            }
        })
    }

    /// At most once: but for one more try where Meta says that it did nothing, it is not tried again.
    async fn tell(&self, record: &Record, ending: Ending) -> Outcome {
        let effect = Effect::TellCaller(ending);
        // This is the one try: it must not fail for want of the number's or the agent's own words.
        let settings = self.ledger.number(&record.number).await.unwrap_or_default();
        let appointed = self.appointed(&settings).await.unwrap_or_else(|_| self.agent.clone());
        let broke_off = record.call.accepted_at.is_some();
        if !self.may_tell(record, &appointed.agent).await {
            let (action, budget) = (Action::Notice.name().to_owned(), "hour".to_owned());
            return Outcome::noting(Event::Done(effect), Happened::ActionRefused { action, budget });
        }
        let text = words(ending, broke_off, &settings, &appointed.agent.messages);
        let entry = match self.try_to_send(record, text).await {
            Ok(message) => {
                self.keep_name_of(record, message.as_deref(), "").await;
                Happened::CallerTold { why: word(&ending) }
            }
            Err(error) => trouble(&word(&effect), &error),
        };
        Outcome::noting(Event::Done(effect), entry)
    }

    /// Whether the caller may be told by message once more within the hour. A table that cannot say so refuses nothing.
    async fn may_tell(&self, record: &Record, agent: &Agent) -> bool {
        let Some(mark) = self.knocker.mark(&record.caller()) else { return true };
        let (most, now_ms) = (agent.caps.notices_an_hour, self.now().0);
        let may = self.ledger.may_act(&record.number, &mark, Action::Notice, most, now_ms).await;
        may.unwrap_or_else(|error| {
            tracing::error!(call_ref = record.call_ref(), "A caller is told without a budget: {error:#}");
            true
        })
    }

    async fn act(&self, record: &Record, effect: &Effect) -> Outcome {
        let until = self.tries_until(record);
        let act = async |graph: &Graph| meta::act(graph, record, effect, until).await;
        let (event, error) = self.at_meta(act, |(_, error)| error.as_ref()).await;
        Outcome {
            entries: error.iter().map(|error| trouble(&word(effect), error)).collect(),
            ..Outcome::of(event)
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

fn seat_refused(seat: &Seat, reason: String) -> Outcome {
    let entry = Happened::SeatRefused { task: seat.task.clone(), reason };
    Outcome::noting(Event::SeatRefused { fence: seat.fence }, entry)
}

/// It may have taken the call: it is released.
fn seat_silent(seat: &Seat, reason: String) -> Outcome {
    let entry = Happened::SeatRefused { task: seat.task.clone(), reason };
    Outcome::noting(Event::SeatSilent { fence: seat.fence }, entry)
}

fn silent(seat: &Seat, lease: Option<u64>) -> Outcome {
    let entry = Happened::TaskSilent { task: seat.task.clone() };
    Outcome::noting(Event::TaskSilent { fence: seat.fence, lease }, entry)
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
