//! The keys of the one DynamoDB table.
//!
//! | item | `pk` | `sk` | `gsi1pk` | `gsi1sk` |
//! |---|---|---|---|---|
//! | state of a call | `CALL#<call_ref>` | `STATE` | `DUE` while something is left to do | when it is due |
//! | line of the transcript | `CALL#<call_ref>` | `LINE#<place>` | | |
//! | message or callback request of a caller | `CALL#<call_ref>` | `LEFT#<n>` | | |
//! | claim to send an agent's message | `CALL#<call_ref>` | `SENT#<id>` | | |
//! | claim to transfer a call | `CALL#<call_ref>` | `TRANSFER` | | |
//! | what was extracted from a call's transcript | `CALL#<call_ref>` | `EXTRACT` | | |
//! | event for the business, waiting | `CALL#<call_ref>` | `AFTER#<event>`, `AFTER#<event>#<n>` | `OUTBOX` | when it is due |
//! | event for the business, refused or given up | `CALL#<call_ref>` | `AFTER#<event>`, `AFTER#<event>#<n>` | `OUTBOX#FAILED` | since when |
//! | event for the business, delivered | `CALL#<call_ref>` | `AFTER#<event>`, `AFTER#<event>#<n>` | `OUTBOX#DELIVERED` | since when |
//! | claim to deliver to a host | `OUTBOX#<sha256 of the host>` | `HOST` | | |
//! | message of a call, accepted by Meta | `CALL#<call_ref>` | `MESSAGE#<message_ref>` | | |
//! | call of a message | `MESSAGE#<message_ref>` | `CALL` | | |
//! | event of a call | `CALL#<call_ref>` | `EV#<version>#<writer>#<sequence>` | | |
//! | summary of a call, of the owner whose line opened | `CALL#<call_ref>` | `SUMMARY` | | |
//! | summary of a call, of each owner | `CALL#<call_ref>` | `SUMMARY#<fence>` | | |
//! | spending of a call's owner so far | `CALL#<call_ref>` | `SPENT#<fence>` | | |
//! | agent | `AGENT#<name>` | `FILE` | `AGENTS` | its name |
//! | settings of a number | `NUMBER#<id>` | `SETTINGS` | `NUMBERS` while they name an agent | the number's id |
//! | name of a number that is dialled on the telephone line | `DIALLED#<digits>` | `NAME` | | |
//! | spending of a number in a day, and transfers of its calls | `SPENT#<number>` | `DAY#<yyyy-mm-dd>` | | |
//! | actions for a caller in an hour, counted by kind | `SPENT#<number>#<pseudonym>` | `HOUR#<hours since 1970>` | | |
//! | audio levels of a call | `CALL#<call_ref>` | `LEVELS` | | |
//! | call in the list of calls | `CALLS#<number>` | `CALL#<when it rang>#<call_ref>` | `DAY#<yyyy-mm-dd>` (UTC) | its `sk` |
//! | call of a user, to any number | `USER#<pseudonym>` | `CALL#<when it rang>#<call_ref>` | | |
//! | link to a user's other pseudonym | `USER#<pseudonym>` | `ALSO#<their other pseudonym>` | | |
//! | full reference of a call | `REF#<its first 8 digits>` | `<call_ref>` | | |
//! | call of a caller, for the hourly limit | `CALLER#<number>#<pseudonym>` | `CALL#<when it rang>#<call_ref>` | | |
//! | notice about a number | `NUMBER#<id>` | `NOTICE#<event>#<status>#<hash>` | | |
//! | record of a person's deletion | `NUMBER#<id>` | `FORGOTTEN#<when>` | | |
//! | tombstone of a person | `FORGOTTEN#<pseudonym>` | `PERSON` | | |
//! | tombstone of a call | `FORGOTTEN#<sha256>` | `CALL` | | |
//! | notice about an account | `ACCOUNT#<id>` | `NOTICE#<event>#<status>#<hash>` | | |
//! | hash and beginning of a notice that DynamoDB cannot store | `UNFIT#<sha256>` | `NOTICE` | | |
//! | lease of a media task | `TASK#<task>` | `LEASE` | `READY` while it takes calls, else `CLOSED` | slots used |
//!
//! Events of a call sort by the version of its state, then by writer, then by sequence: not by a clock, since no two hosts' clocks
//! agree. A webhook notice about a call is written at version 0 by a writer named after the notice, so a notice that arrives twice is
//! recorded once.

use call::{CallRef, Fence, NumberId, TaskId};
use sha2::{Digest, Sha256};

/// Returns the partition of a call.
pub fn call(call_ref: &CallRef) -> String {
    format!("CALL#{call_ref}")
}

/// Returns the call whose partition this is.
pub fn call_ref(pk: &str) -> Option<CallRef> {
    pk.strip_prefix("CALL#").map(CallRef::from)
}

/// The sort key of a call's state.
pub const STATE: &str = "STATE";

/// The prefix of the sort keys of a call's events.
pub const EVENTS: &str = "EV#";

/// Returns the sort key of an event.
pub fn event(version: u64, writer: &str, sequence: u64) -> String {
    format!("{EVENTS}{version:08}#{writer}#{sequence:08}")
}

/// Returns the writer name of a media task. It sorts after `call-control`: a task's events at a version of the call's state follow from
/// those that call-control saved with it.
pub fn task_writer(task: &TaskId) -> String {
    format!("task-{task}")
}

/// Returns the partition of a business number: its settings, and Meta's notices about it that belong to no call. `id` is Meta's phone
/// number id, or the name of a number of the telephone line.
pub fn number(id: &NumberId) -> String {
    format!("NUMBER#{id}")
}

/// The sort key of a number's settings.
pub const SETTINGS: &str = "SETTINGS";

/// Returns the partition of a number that is dialled on the telephone line, by its digits.
pub fn dialled(digits: &str) -> String {
    format!("DIALLED#{digits}")
}

/// The sort key of the name of a dialled number.
pub const NAME: &str = "NAME";

/// Returns the partition of an agent, by the name that the operator gave it.
pub fn agent(name: &str) -> String {
    format!("AGENT#{name}")
}

/// The sort key of an agent's file.
pub const FILE: &str = "FILE";

/// The index's partition of agents.
pub const AGENTS: &str = "AGENTS";

/// The index's partition of numbers whose settings name an agent.
pub const NUMBERS: &str = "NUMBERS";

/// The sort key of a call's summary, of the owner whose line opened or of a task of an older release; also the prefix of the sort keys of
/// every owner's summary.
pub const SUMMARY: &str = "SUMMARY";

/// Returns the sort key of an owner's summary, by the fence of its assignment.
pub fn summary(fence: Fence) -> String {
    format!("{SUMMARY}#{fence}")
}

/// Returns the fence of the owner whose summary has this sort key.
pub fn fence_of_summary(sk: &str) -> Option<Fence> {
    sk.strip_prefix(SUMMARY)?.strip_prefix('#')?.parse().ok().map(Fence)
}

/// The prefix of the sort keys of the spending of a call's owners.
pub const SPENT_BY: &str = "SPENT#";

/// Returns the sort key of an owner's spending on a call, by the fence of its assignment.
pub fn spent_by(fence: Fence) -> String {
    format!("{SPENT_BY}{fence}")
}

/// Returns the number in a call of the nth item of its kind that the owner with this fence writes. An owner may not read, and counts from the
/// beginning: each has numbers of its own.
pub fn number_in_call(fence: Fence, nth: u64) -> u64 {
    fence.0.saturating_sub(1) * NUMBERS_OF_AN_OWNER + nth
}

/// How many numbers an owner of a call has: more than the lines of the longest call.
const NUMBERS_OF_AN_OWNER: u64 = 10_000;

/// The prefix of the sort keys of a call's transcript lines.
pub const LINES: &str = "LINE#";

/// Returns the sort key of a transcript line, by its position in the conversation.
pub fn line(place: u32) -> String {
    format!("{LINES}{place:06}")
}

/// The prefix of the sort keys of messages and callback requests that a caller left.
pub const LEFT: &str = "LEFT#";

/// Returns the sort key of the n-th message or callback request that a caller left.
pub fn left(n: u64) -> String {
    format!("{LEFT}{n:06}")
}

/// Returns the sort key of the claim to send an agent's message, by the id of the order. The item does not hold the message.
pub fn sent(id: &str) -> String {
    format!("SENT#{id}")
}

/// The sort key of the claim to transfer a call.
pub const TRANSFER: &str = "TRANSFER";

/// The prefix of the sort keys of a call's events for the business.
pub const AFTER: &str = "AFTER#";

/// Returns the sort key of an event for the business, by its name and, where a call can have several, its number.
pub fn after(event: &str) -> String {
    format!("{AFTER}{event}")
}

/// The index's partition of events for the business that wait.
pub const OUTBOX: &str = "OUTBOX";

/// The index's partition of events that the business refused, or whose delivery was given up.
pub const OUTBOX_FAILED: &str = "OUTBOX#FAILED";

/// The index's partition of events that the business has.
pub const OUTBOX_DELIVERED: &str = "OUTBOX#DELIVERED";

/// Returns the partition of the claim to deliver to a host, which does not show its name.
pub fn outbox_host(host: &str) -> String {
    format!("OUTBOX#{}", hex::encode(Sha256::digest(host)))
}

/// The sort key of the claim to deliver to a host.
pub const HOST: &str = "HOST";

/// The prefix of the sort keys of a call's messages that Meta accepted.
pub const MESSAGES: &str = "MESSAGE#";

/// Returns the key of a message that Meta accepted: its sort key in its call's partition, and its own partition. `message_ref` is the hex
/// SHA-256 of its id at Meta, which holds a phone number.
pub fn message(message_ref: &str) -> String {
    format!("{MESSAGES}{message_ref}")
}

/// Returns the message whose sort key this is.
pub fn message_ref(sk: &str) -> Option<&str> {
    sk.strip_prefix(MESSAGES)
}

/// The sort key of a message's call, and of the tombstone of a call.
pub const OF_CALL: &str = "CALL";

/// The sort key of what a text model extracted from a call's transcript.
pub const EXTRACT: &str = "EXTRACT";

/// Returns the partition of a number's daily spending. Days never expire: a year of them is small.
pub fn spent(number: &NumberId) -> String {
    format!("SPENT#{number}")
}

/// Returns the partition of the hourly counts of actions for a caller of a number, by the caller's [`pseudonym`](crate::pseudonym).
pub fn acts(number: &NumberId, pseudonym: &str) -> String {
    format!("SPENT#{number}#{pseudonym}")
}

/// Returns the sort key of the counts in the hour of a time, ms since 1970.
pub fn hour(at_ms: u64) -> String {
    format!("HOUR#{}", sortable(at_ms / (60 * 60 * 1_000)))
}

/// Returns the sort key of a day's spending, `yyyy-mm-dd`.
pub fn day(day: &str) -> String {
    format!("DAY#{day}")
}

/// Returns the partition of the calls that a caller made to a number, by the caller's [`pseudonym`](crate::pseudonym).
pub fn caller(number: &NumberId, pseudonym: &str) -> String {
    format!("CALLER#{number}#{pseudonym}")
}

/// Returns the sort key of a call in a list, which sorts by the time it rang.
pub fn rang(at_ms: u64, call_ref: &CallRef) -> String {
    rang_bound(at_ms, call_ref.as_str())
}

/// Returns a bound among the sort keys of [`rang`]: just before the calls that rang at this time and whose references begin like this.
/// `~` is after all of them, since references are hexadecimal.
pub fn rang_bound(at_ms: u64, beginning: &str) -> String {
    format!("CALL#{}#{beginning}", sortable(at_ms))
}

/// Returns the partition of the calls to a number, answered or not. Their sort keys are those of [`rang`].
pub fn calls(number: &NumberId) -> String {
    format!("CALLS#{number}")
}

/// Returns the index's partition of the calls that rang on a day, `yyyy-mm-dd` in UTC, to any number.
pub fn calls_of_day(day: &str) -> String {
    format!("DAY#{day}")
}

/// Returns the partition of the calls that a user made to any number, by one of their [`pseudonym`](crate::pseudonym)s.
pub fn user(pseudonym: &str) -> String {
    format!("USER#{pseudonym}")
}

/// The prefix of the sort keys of links to a user's other pseudonyms.
pub const ALSO: &str = "ALSO#";

/// Returns the sort key of the link to another pseudonym of the same user.
pub fn also(pseudonym: &str) -> String {
    format!("{ALSO}{pseudonym}")
}

/// The shortest prefix of a call's reference, in hex digits, by which it can be looked up.
pub const SHORTEST_REF: usize = 8;

/// Returns the partition of the calls whose references begin with this prefix, of [`SHORTEST_REF`] digits or more; its rest is matched by
/// the sort key.
pub fn call_refs(beginning: &str) -> String {
    format!("REF#{}", beginning.get(..SHORTEST_REF).unwrap_or(beginning))
}

/// The sort key of a call's audio levels.
pub const LEVELS: &str = "LEVELS";

/// Returns the sort key of the record of a person's deletion, in the partition of a number that they had called.
pub fn forgotten(at_ms: u64) -> String {
    format!("FORGOTTEN#{}", sortable(at_ms))
}

/// Returns the partition of the tombstone of a person, by one of their [`pseudonym`](crate::pseudonym)s.
pub fn forgotten_person(pseudonym: &str) -> String {
    format!("FORGOTTEN#{pseudonym}")
}

/// The sort key of the tombstone of a person.
pub const PERSON: &str = "PERSON";

/// Returns the partition of the tombstone of a call, which does not reveal the call's reference.
pub fn forgotten_call(call_ref: &CallRef) -> String {
    format!("FORGOTTEN#{}", hex::encode(Sha256::digest(format!("forgotten call {call_ref}"))))
}

/// The prefix of the sort keys of notices.
pub const NOTICES: &str = "NOTICE#";

/// Returns the partition of a WhatsApp business account: Meta's notices about all its numbers.
pub fn account(id: &str) -> String {
    format!("ACCOUNT#{id}")
}

/// Returns the sort key under which a notice about a number or an account is recorded once. `hash` is a hash of its content.
pub fn notice(event: &str, status: &str, hash: &str) -> String {
    format!("NOTICE#{event}#{status}#{hash}")
}

/// Returns the partition of a notice that DynamoDB can never store as it is, by its hex SHA-256.
pub fn unfit(sha256: &str) -> String {
    format!("UNFIT#{sha256}")
}

/// The sort key of a notice that DynamoDB cannot store as it is.
pub const UNFIT: &str = "NOTICE";

/// Returns the partition of a media task.
pub fn task(task: &TaskId) -> String {
    format!("TASK#{task}")
}

/// The sort key of a media task's lease.
pub const LEASE: &str = "LEASE";

/// The partition of the slots for media tasks that are being launched, because a call found no free slot.
pub const LAUNCHES: &str = "LAUNCHES";

/// Returns the sort key of a launch slot, counted from 0.
pub fn launch(place: u32) -> String {
    format!("LAUNCH#{}", sortable(place.into()))
}

/// Returns the launch slot whose sort key this is.
pub fn launched(sk: &str) -> Option<u32> {
    sk.strip_prefix("LAUNCH#")?.parse().ok()
}

/// The attribute by which DynamoDB expires items (TTL): seconds since 1970.
pub const TTL: &str = "ttl";

/// How long calls are kept: 30 days.
const KEPT_FOR: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 60 * 60);

/// Returns when an item written at `now_ms` expires, seconds since 1970.
pub fn forget_at(now_ms: u64) -> u64 {
    now_ms / 1_000 + KEPT_FOR.as_secs()
}

/// The sparse index (GSI) of due calls, ready tasks and lists.
pub const INDEX: &str = "gsi1";

/// The index's partition of calls that are due for a tick.
pub const DUE: &str = "DUE";

/// The index's partition of tasks that take calls.
pub const READY: &str = "READY";

/// The index's partition of tasks that take no calls: they stand by, drain, or have no task protection.
pub const CLOSED: &str = "CLOSED";

/// Returns a number as text that sorts as numbers do: padded to the digits of the largest `u64`.
pub fn sortable(number: u64) -> String {
    format!("{number:020}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_of_a_call_has_numbers_of_its_own() {
        assert_eq!(left(number_in_call(Fence(1), 1)), "LEFT#000001");
        assert_eq!(left(number_in_call(Fence(2), 1)), "LEFT#010001");
        assert_eq!(left(number_in_call(Fence(3), 1)), "LEFT#020001");
    }

    #[test]
    fn numbers_sort_as_text() {
        assert!(sortable(9) < sortable(10));
        assert!(event(9, "z", 0) < event(10, "a", 0));
        assert!(event(9, "call-control", 7) < event(9, &task_writer(&"0a".into()), 0));
    }
}
