//! Records an incoming call on the SIP line, once for each delivery and each call, and says whether call-control must look at it.

use super::recording::is_untouched;
use super::{Intake, IntakeResult};
use call::{CallRef, CallerDetails, Line, NumberId, Stage, Timestamp};
use journal::{EntryBuilder, EntryContext, JournalEntry, JournalEvent};
use openai_calls::{CallParties, IncomingCall, trunk_key};
use sha2::{Digest, Sha256};
use store::{CallReport, CallerNames, LoadedCall, ReportedChange, StoredCall, Written, call_ref};

/// A call that came in longer ago is not answered: the carrier has given up.
const STALE_AFTER_MS: u64 = 10_000;

/// A call that came in this far ahead of our clock is not answered either: two hosts' clocks differ by less.
const AHEAD_BY_MS: u64 = 10_000;

/// How a call proves that it came by the trunk.
#[derive(Debug, Clone, Copy)]
pub struct TrunkCheck<'a> {
    /// The keys that a call may have. Without any, no call is accepted.
    pub keys: &'a [&'a str],
    /// Whether calls without a key are accepted where no key is configured.
    pub is_open: bool,
}

/// Whether a call is acted on.
enum Standing {
    Ours(Box<StoredCall>),
    NotOurs,
    Stale { late_ms: u64, ahead_ms: u64 },
}

impl Intake {
    /// Records an incoming call, delivered under this id.
    ///
    /// A delivery that was recorded is not recorded again, nor is a call with another delivery: then call-control gets the call once more if it
    /// has done nothing about it. A call for a number that has no agent is recorded and left alone: it may be another stack's.
    ///
    /// # Errors
    /// When DynamoDB fails: OpenAI must send the event again.
    pub async fn record_sip_call(
        &self,
        incoming: &IncomingCall,
        delivery: &str,
        trunk: TrunkCheck<'_>,
        now_ms: u64,
    ) -> anyhow::Result<IntakeResult> {
        let call_ref = call_ref(incoming.id.as_str());
        let (number, is_known) = self.number_of(&incoming.parties).await?;
        let standing = standing(incoming, &number, is_known, trunk, now_ms);
        let entries = entries(&call_ref, incoming, delivery, (&number, &standing), now_ms);
        let reports: Vec<_> = entries.iter().map(|entry| report(entry, incoming.created_at)).collect();
        let change = match standing {
            Standing::Ours(call) => Some(ReportedChange::Rings(call)),
            Standing::NotOurs | Standing::Stale { .. } => None,
        };
        let rings = change.is_some();
        match self.store.record_reports(&call_ref, &reports, change.as_ref(), now_ms).await? {
            Written::Done if rings => {
                Ok(IntakeResult { entries, tick: Some(call_ref), ..IntakeResult::default() })
            }
            Written::Done => Ok(IntakeResult {
                entries,
                tick: self.untouched(&call_ref).await?,
                ..IntakeResult::default()
            }),
            Written::Exists(_) => {
                Ok(IntakeResult { tick: self.untouched(&call_ref).await?, ..IntakeResult::default() })
            }
            Written::Permanent(why) => {
                tracing::error!(call_ref = %call_ref, "cannot record a call on the SIP line, the table refuses it: {why}");
                Ok(IntakeResult::default())
            }
        }
    }

    /// Returns the name of the dialled number, and whether it has an agent. Of a number without a name, the last two digits stand for it.
    async fn number_of(&self, parties: &CallParties) -> anyhow::Result<(NumberId, bool)> {
        let Some(digits) = &parties.dialled else { return Ok((NumberId::default(), false)) };
        match self.store.name_of_dialled(digits).await? {
            Some(name) => {
                let has_agent = self.store.number(&name).await?.agent.is_some();
                Ok((name, has_agent))
            }
            None => Ok((format!("…{}", &digits[digits.len().saturating_sub(2)..]).into(), false)),
        }
    }

    /// Returns the call if call-control has done nothing about it: the order to do so may have been lost.
    async fn untouched(&self, call_ref: &CallRef) -> anyhow::Result<Option<CallRef>> {
        Ok(match self.store.load_call(call_ref).await? {
            LoadedCall::Found(record) if is_untouched(&record) => Some(call_ref.clone()),
            LoadedCall::Found(_) | LoadedCall::Missing | LoadedCall::EndOnly | LoadedCall::Unreadable(_) => {
                None
            }
        })
    }
}

fn standing(
    incoming: &IncomingCall,
    number: &NumberId,
    is_known: bool,
    trunk: TrunkCheck<'_>,
    now_ms: u64,
) -> Standing {
    if !is_known {
        return Standing::NotOurs;
    }
    let created_ms = incoming.created_at.saturating_mul(1_000);
    let (late_ms, ahead_ms) = (now_ms.saturating_sub(created_ms), created_ms.saturating_sub(now_ms));
    if late_ms > STALE_AFTER_MS || ahead_ms > AHEAD_BY_MS {
        return Standing::Stale { late_ms, ahead_ms };
    }
    let is_untrusted = !trunk.lets_in(&incoming.parties);
    let caller = incoming.parties.caller.clone().filter(|_| !is_untrusted);
    let caller = CallerNames { number: caller, user_id: None };
    let mut call =
        StoredCall::ringing_by_sip(incoming.id.as_str(), number, caller, is_untrusted, Timestamp(now_ms));
    call.details = (!is_untrusted).then(|| CallerDetails {
        name: incoming.parties.name.clone(),
        called_number: incoming.parties.dialled.clone(),
        ..CallerDetails::default()
    });
    // The carrier's patience began with the call, not with its event.
    let stale_at = Timestamp(created_ms.saturating_add(STALE_AFTER_MS));
    call.call.ring_deadline = call.call.ring_deadline.min(stale_at);
    Standing::Ours(Box::new(call))
}

impl TrunkCheck<'_> {
    fn lets_in(&self, parties: &CallParties) -> bool {
        trunk_key::is_right(parties, self.keys.iter().copied()) || (self.is_open && self.keys.is_empty())
    }
}

/// Returns the journal entries of a delivery, under a writer name made of its id: a repeated one gets the same keys and is recognized by them.
fn entries(
    call_ref: &CallRef,
    incoming: &IncomingCall,
    delivery: &str,
    (number, standing): (&NumberId, &Standing),
    now_ms: u64,
) -> Vec<JournalEntry> {
    let writer = format!("webhook-{}", &hex::encode(Sha256::digest(delivery))[..16]);
    let context =
        |phase| EntryContext { line: Line::Sip.into(), number: Some(number.clone()), task: None, phase };
    let (rang_at_ms, context, event) = match *standing {
        Standing::Ours(_) => (
            Some(now_ms),
            context(Some(Stage::Ringing.into())),
            JournalEvent::Connect { number: number.clone() },
        ),
        Standing::NotOurs => (None, context(None), JournalEvent::NotOurs { number: number.clone() }),
        Standing::Stale { late_ms, ahead_ms } => {
            (None, context(None), JournalEvent::Stale { number: number.clone(), late_ms, ahead_ms })
        }
    };
    let mut journal = EntryBuilder::new(call_ref, &writer, rang_at_ms, 0).at(context);
    let insecure = (incoming.is_insecure && rang_at_ms.is_some()).then_some(JournalEvent::LineInsecure {});
    std::iter::once(event).chain(insecure).map(|event| journal.enter(event, now_ms)).collect()
}

fn report(entry: &JournalEntry, created_at: u64) -> CallReport {
    CallReport { entry: entry.clone(), stamped_at: Some(created_at), content: None }
}
