//! How the one DynamoDB table is keyed.
//!
//! | item | `pk` | `sk` | `gsi1pk` | `gsi1sk` |
//! |---|---|---|---|---|
//! | state of a call | `CALL#<call_ref>` | `STATE` | `DUE` while something is left to do | when it is due |
//! | line of what was said | `CALL#<call_ref>` | `LINE#<place>` | | |
//! | what a caller left for people | `CALL#<call_ref>` | `LEFT#<n>` | | |
//! | message that an agent had sent | `CALL#<call_ref>` | `SENT#<id>` | | |
//! | message of a call that Meta took | `CALL#<call_ref>` | `MESSAGE#<message_ref>` | | |
//! | call of a message | `MESSAGE#<message_ref>` | `CALL` | | |
//! | event of a call | `CALL#<call_ref>` | `EV#<version>#<writer>#<sequence>` | | |
//! | summary of a call, by the owner whose line opened | `CALL#<call_ref>` | `SUMMARY` | | |
//! | summary of a call, by each owner | `CALL#<call_ref>` | `SUMMARY#<fence>` | | |
//! | what a call cost an owner by now | `CALL#<call_ref>` | `SPENT#<fence>` | | |
//! | agent | `AGENT#<name>` | `FILE` | `AGENTS` | its name |
//! | settings of a number | `NUMBER#<id>` | `SETTINGS` | `NUMBERS` while they name an agent | the number's id |
//! | what a number's calls cost in a day | `SPENT#<number>` | `DAY#<yyyy-mm-dd>` | | |
//! | how often what was done for a caller in an hour | `SPENT#<number>#<mark>` | `HOUR#<hours since 1970>` | | |
//! | sound of a call: how loud each side was | `CALL#<call_ref>` | `LEVELS` | | |
//! | call in the list of calls | `CALLS#<number>` | `CALL#<when it rang>#<call_ref>` | `DAY#<yyyy-mm-dd>` (UTC) | its `sk` |
//! | call of a user, whoever they call | `USER#<mark>` | `CALL#<when it rang>#<call_ref>` | | |
//! | other name of a user | `USER#<mark>` | `ALSO#<their other mark>` | | |
//! | whole name of a call | `REF#<its first 8 letters>` | `<call_ref>` | | |
//! | call of a caller | `CALLER#<number>#<mark>` | `CALL#<when it rang>#<call_ref>` | | |
//! | notice about a number | `NUMBER#<id>` | `NOTICE#<event>#<status>#<mark>` | | |
//! | that somebody was forgotten | `NUMBER#<id>` | `FORGOTTEN#<when>` | | |
//! | tombstone of a person | `FORGOTTEN#<mark>` | `PERSON` | | |
//! | tombstone of a call | `FORGOTTEN#<sha256>` | `CALL` | | |
//! | notice about an account | `ACCOUNT#<id>` | `NOTICE#<event>#<status>#<mark>` | | |
//! | notice that fits nowhere | `UNFIT#<sha256>` | `NOTICE` | | |
//! | lease of a media task | `TASK#<task>` | `LEASE` | `READY` while it takes calls, else `CLOSED` | slots used |
//!
//! Events of a call sort by the version of its state, then by who wrote them, then by their
//! sequence: not by a clock, since no two hosts agree on one. What a webhook tells of a call is written at version 0, by a
//! writer named after it: so it is recorded once.

use sha2::{Digest, Sha256};

/// The partition of a call. `call_ref` is the hex SHA-256 of Meta's call id, which holds phone numbers.
pub fn call(call_ref: &str) -> String {
    format!("CALL#{call_ref}")
}

/// The call whose partition this is.
pub fn call_ref(pk: &str) -> Option<&str> {
    pk.strip_prefix("CALL#")
}

/// The sort key of a call's state.
pub const STATE: &str = "STATE";

/// What sort keys of a call's events begin with.
pub const EVENTS: &str = "EV#";

/// The sort key of an event.
pub fn event(version: u64, writer: &str, sequence: u64) -> String {
    format!("{EVENTS}{version:08}#{writer}#{sequence:08}")
}

/// A media task as a writer of events. What a task does at a version of the call's state follows from what call-control
/// saved with it, and `call-control` sorts before this.
pub fn task_writer(task: &str) -> String {
    format!("task-{task}")
}

/// The partition of a business number: its settings, and what Meta tells us of it and of no call. `id` is Meta's id of it.
pub fn number(id: &str) -> String {
    format!("NUMBER#{id}")
}

/// The sort key of a number's settings.
pub const SETTINGS: &str = "SETTINGS";

/// The partition of an agent. Its name is the operator's.
pub fn agent(name: &str) -> String {
    format!("AGENT#{name}")
}

/// The sort key of an agent's file.
pub const FILE: &str = "FILE";

/// The index's partition of agents.
pub const AGENTS: &str = "AGENTS";

/// The index's partition of numbers whose settings name an agent.
pub const NUMBERS: &str = "NUMBERS";

/// The sort key of what is kept of a call when it is over: that of the owner whose line opened, or of a task of an older release.
/// What sort keys of all owners' summaries begin with.
pub const SUMMARY: &str = "SUMMARY";

/// The sort key of the summary that an owner leaves, by the fence of its assignment.
pub fn summary(fence: u64) -> String {
    format!("{SUMMARY}#{fence}")
}

/// The fence of the owner whose summary has this sort key.
pub fn fence_of_summary(sk: &str) -> Option<u64> {
    sk.strip_prefix(SUMMARY)?.strip_prefix('#')?.parse().ok()
}

/// What sort keys of what a call cost its owners begin with.
pub const SPENT_BY: &str = "SPENT#";

/// The sort key of what a call has cost an owner by now, by the fence of its assignment.
pub fn spent_by(fence: u64) -> String {
    format!("{SPENT_BY}{fence}")
}

/// What sort keys of what was said in a call begin with.
pub const LINES: &str = "LINE#";

/// The sort key of a line: its place in the conversation.
pub fn line(place: u32) -> String {
    format!("{LINES}{place:06}")
}

/// What sort keys of what a caller left for people begin with.
pub const LEFT: &str = "LEFT#";

/// The sort key of the n-th thing a caller left: a message, or that they want to be called back.
pub fn left(n: u64) -> String {
    format!("{LEFT}{n:06}")
}

/// The sort key of a message that an agent has sent to its caller, by the id of the order: only that there was one.
pub fn sent(id: &str) -> String {
    format!("SENT#{id}")
}

/// What sort keys of a call's messages that Meta took begin with.
pub const MESSAGES: &str = "MESSAGE#";

/// A message that Meta took: its sort key in its call's partition, and its own partition. `message_ref` is the hex SHA-256 of its
/// id at Meta, which holds a phone number.
pub fn message(message_ref: &str) -> String {
    format!("{MESSAGES}{message_ref}")
}

/// The message whose sort key this is.
pub fn message_ref(sk: &str) -> Option<&str> {
    sk.strip_prefix(MESSAGES)
}

/// The sort key of a message's call, and of the tombstone of a call.
pub const OF_CALL: &str = "CALL";

/// The partition of what a number's calls cost. Days are kept for good: a year of them is small.
pub fn spent(number: &str) -> String {
    format!("SPENT#{number}")
}

/// The partition of how often things were done for a caller of a number, by the caller's [`mark`](crate::mark).
pub fn acts(number: &str, mark: &str) -> String {
    format!("SPENT#{number}#{mark}")
}

/// The sort key of how often they were done in the hour of a time, ms since 1970.
pub fn hour(at_ms: u64) -> String {
    format!("HOUR#{}", sortable(at_ms / (60 * 60 * 1_000)))
}

/// The sort key of what the calls of a day cost, `yyyy-mm-dd`.
pub fn day(day: &str) -> String {
    format!("DAY#{day}")
}

/// The partition of the calls that a caller made to a number, by the caller's [`mark`](crate::mark).
pub fn caller(number: &str, mark: &str) -> String {
    format!("CALLER#{number}#{mark}")
}

/// The sort key of a caller's call. Calls sort by when they rang.
pub fn rang(at_ms: u64, call_ref: &str) -> String {
    format!("CALL#{}#{call_ref}", sortable(at_ms))
}

/// The partition of the calls to a number, answered or not. Their sort keys are those of [`rang`].
pub fn calls(number: &str) -> String {
    format!("CALLS#{number}")
}

/// The index's partition of the calls that rang on a day, `yyyy-mm-dd` in UTC, to whatever number.
pub fn calls_of_day(day: &str) -> String {
    format!("DAY#{day}")
}

/// The partition of the calls that a user made to whatever number, by a [`mark`](crate::mark) of theirs.
pub fn user(mark: &str) -> String {
    format!("USER#{mark}")
}

/// What sort keys of a user's other marks begin with.
pub const ALSO: &str = "ALSO#";

/// The sort key of another mark of the same user.
pub fn also(mark: &str) -> String {
    format!("{ALSO}{mark}")
}

/// So many letters of a call's name are enough to ask for it.
pub const SHORTEST_REF: usize = 8;

/// The partition of the calls whose names begin like this. The name must have [`SHORTEST_REF`] letters; its rest is
/// matched by the sort key.
pub fn names_like(call_ref: &str) -> String {
    format!("REF#{}", call_ref.get(..SHORTEST_REF).unwrap_or(call_ref))
}

/// The sort key of how loud each side of a call was.
pub const LEVELS: &str = "LEVELS";

/// The sort key of the note that somebody was forgotten, in the partition of a number that they had called.
pub fn forgotten(at_ms: u64) -> String {
    format!("FORGOTTEN#{}", sortable(at_ms))
}

/// The partition of the tombstone of a person, by a [`mark`](crate::mark) of theirs.
pub fn forgotten_person(mark: &str) -> String {
    format!("FORGOTTEN#{mark}")
}

/// The sort key of the tombstone of a person.
pub const PERSON: &str = "PERSON";

/// The partition of the tombstone of a call. It does not hold the name of the call.
pub fn forgotten_call(call_ref: &str) -> String {
    format!("FORGOTTEN#{}", hex::encode(Sha256::digest(format!("forgotten call {call_ref}"))))
}

/// What sort keys of notices begin with.
pub const NOTICES: &str = "NOTICE#";

/// The partition of a WhatsApp business account: what Meta tells us of all its numbers.
pub fn account(id: &str) -> String {
    format!("ACCOUNT#{id}")
}

/// The sort key under which a notice about a number or an account is recorded once. `mark` is a hash of what it says.
pub fn notice(event: &str, status: &str, mark: &str) -> String {
    format!("NOTICE#{event}#{status}#{mark}")
}

/// The partition of a notice that DynamoDB will never take as it is: by its hash, hex SHA-256.
pub fn unfit(sha256: &str) -> String {
    format!("UNFIT#{sha256}")
}

/// The sort key of a notice that fits nowhere.
pub const UNFIT: &str = "NOTICE";

/// The partition of a media task.
pub fn task(task: &str) -> String {
    format!("TASK#{task}")
}

/// The sort key of a media task's lease.
pub const LEASE: &str = "LEASE";

/// The partition of media tasks that are being started because a call found no room.
pub const LAUNCHES: &str = "LAUNCHES";

/// The sort key of one of them: there are so many places for them, counted from 0.
pub fn launch(place: u32) -> String {
    format!("LAUNCH#{}", sortable(place.into()))
}

/// The place whose sort key this is.
pub fn launched(sk: &str) -> Option<u32> {
    sk.strip_prefix("LAUNCH#")?.parse().ok()
}

/// The attribute by which DynamoDB forgets items: seconds since 1970.
pub const TTL: &str = "ttl";

/// How long calls are kept.
pub const KEPT_FOR: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 60 * 60);

/// When an item written at `now_ms` may be forgotten, seconds since 1970.
pub fn forget_at(now_ms: u64) -> u64 {
    now_ms / 1_000 + KEPT_FOR.as_secs()
}

/// The sparse index of what is due and who is ready.
pub const INDEX: &str = "gsi1";

/// The index's partition of calls that want a tick.
pub const DUE: &str = "DUE";

/// The index's partition of tasks that take calls.
pub const READY: &str = "READY";

/// The index's partition of tasks that take none: they stand aside, drain, or are not protected.
pub const CLOSED: &str = "CLOSED";

/// A number as a sort key: as many digits as the largest has.
pub fn sortable(number: u64) -> String {
    format!("{number:020}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_text_as_they_do_as_numbers() {
        assert!(sortable(9) < sortable(10));
        assert!(event(9, "z", 0) < event(10, "a", 0));
        assert!(event(9, "call-control", 7) < event(9, &task_writer("0a"), 0));
    }
}
