//! Everything that can happen in a call, by name.

mod level;
mod other;

pub use level::Level;
pub use other::OtherEvent;
use serde::{Deserialize, Serialize};

/// What a line of an older release counts.
fn one() -> u64 {
    1
}

/// An event of a call, with its fields. The one list of them: `docs/events.md` is made from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(tag = "event")]
pub enum JournalEvent {
    /// Meta told us that somebody calls.
    #[serde(rename = "WA_CALL_CONNECT")]
    Connect {
        /// The business number that was called, as its id.
        number: String,
    },
    /// The call is for a number that is not ours: recorded, not answered.
    #[serde(rename = "WA_CALL_NOT_OURS")]
    NotOurs {
        /// The business number that was called, as its id.
        number: String,
    },
    /// Meta's word of the call is too old to be answered, or far ahead of our clock: recorded, not answered.
    #[serde(rename = "WA_CALL_STALE")]
    Stale {
        /// The business number that was called, as its id.
        number: String,
        /// How old Meta's word was.
        late_ms: u64,
        /// How far ahead of our clock it was, if it was that.
        #[serde(default)]
        ahead_ms: u64,
    },
    /// Webhooks were not taken. Of no call, and in the log alone; told once a second at most by each process, however many there are.
    #[serde(rename = "WA_CALL_WEBHOOK_REFUSED")]
    WebhookRefused {
        /// `signature`: it is not Meta's, or signed with a secret we do not know.
        why: String,
        /// How many, since this was told last.
        #[serde(default = "one")]
        count: u64,
    },
    /// Meta says that the call is over.
    #[serde(rename = "WA_CALL_OVER")]
    Over {
        /// Meta's word for how.
        status: String,
        /// Meta's error codes, if it ended with any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<u64>,
        /// For how long Meta says there was talk; missing when nobody picked up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        talked_s: Option<u64>,
    },
    /// Meta has something of the call for us to fetch.
    #[serde(rename = "WA_CALL_MEDIA_AT_META")]
    MediaAtMeta {
        /// `recording`, `transcript` or `voicemail`.
        kind: String,
        /// Its id at Meta.
        media: String,
        /// What it is, as MIME has it.
        mime_type: String,
    },
    /// The caller said whether we may call them.
    #[serde(rename = "WA_CALL_PERMISSION_REPLY")]
    PermissionReply {
        /// Whether we may.
        is_granted: bool,
        /// Whether that is for good.
        is_permanent: bool,
        /// Until when, in seconds since 1970; missing when it is for good, or not at all.
        until_s: Option<u64>,
    },
    /// Meta told us something else about the call.
    #[serde(rename = "WA_CALL_NOTICE")]
    Notice {
        /// Meta's name of it.
        notice: String,
        /// Meta's word for how it stands.
        status: String,
    },
    /// A media task was chosen for the call.
    #[serde(rename = "WA_CALL_CLAIMED")]
    Claimed {
        /// The task.
        task: String,
        /// The fencing number of its assignment.
        fence: u64,
    },
    /// The chosen media task would not have it, or could not be reached.
    #[serde(rename = "WA_CALL_SEAT_REFUSED")]
    SeatRefused {
        /// The task.
        task: String,
        /// In its words, or why it could not be reached.
        reason: String,
    },
    /// No media task had a free slot: another one is being started.
    #[serde(rename = "WA_CALL_TASK_LAUNCHED")]
    TaskLaunched {
        /// The new task.
        task: String,
    },
    /// The media task answered the offer.
    #[serde(rename = "WA_CALL_ANSWERED")]
    Answered {
        /// How long it took the task.
        took_ms: u64,
        /// `warm`: a task was there; `cold`: one was started for this call.
        #[serde(default)]
        start: String,
    },
    /// The offer is one we cannot answer.
    #[serde(rename = "WA_CALL_OFFER_UNANSWERABLE")]
    OfferUnanswerable {
        /// What it lacks.
        reason: String,
    },
    /// Meta took our answer.
    #[serde(rename = "WA_CALL_PRE_ACCEPTED")]
    PreAccepted {},
    /// The agent's model is configured and may speak.
    #[serde(rename = "WA_CALL_AGENT_READY")]
    AgentReady {
        /// Since the task was offered the call.
        took_ms: u64,
    },
    /// ICE and DTLS are done.
    #[serde(rename = "WA_CALL_MEDIA_CONNECTED")]
    MediaConnected {
        /// Since the task was offered the call.
        took_ms: u64,
    },
    /// Meta picked up for us.
    #[serde(rename = "WA_CALL_ACCEPTED")]
    Accepted {},
    /// The line is open: caller and agent hear each other.
    #[serde(rename = "WA_CALL_OPENED")]
    Opened {},
    /// The first of the agent's voice was sent.
    #[serde(rename = "WA_CALL_FIRST_WORD")]
    FirstWord {
        /// Since the line opened.
        after_open_ms: u64,
    },
    /// The agent answered the caller.
    #[serde(rename = "WA_CALL_TURN")]
    Turn {
        /// Which turn of the call, from 1.
        turn: u64,
        /// From the end of the caller's speech, as the model heard it, to the first voice sent.
        took_ms: u64,
        /// How much of that was spent waiting for tools.
        #[serde(default)]
        tool_ms: u64,
    },
    /// The caller spoke over the agent.
    #[serde(rename = "WA_CALL_INTERRUPTED")]
    Interrupted {
        /// What the agent was saying, by the model's id of it.
        item: String,
        /// How much of it had been sent.
        heard_ms: u64,
        /// How long it was so far.
        of_ms: u64,
    },
    /// The agent used a tool.
    #[serde(rename = "WA_CALL_TOOL")]
    Tool {
        /// The tool; `unknown` when there is none of the name the model gave.
        tool: String,
        /// How long it took.
        took_ms: u64,
        /// `done`, `failed`, `timed_out` or `refused` (its arguments, it is not there, or it is too early for `end_call`). `timed_out` of a message to the
        /// caller: it is not known whether it was sent.
        outcome: String,
    },
    /// The caller pressed keys. Which ones is nobody's business here.
    #[serde(rename = "WA_CALL_KEYS")]
    Keys {
        /// How many.
        count: u64,
    },
    /// More keys are pressed than a caller can mean (64 at once, four a second, a thousand in a call): from here on, those
    /// that are too many are counted and dropped. Once a call.
    #[serde(rename = "WA_CALL_KEYS_DROPPED")]
    KeysDropped {},
    /// Nobody said anything for a while: the agent asks whether the caller is still there.
    #[serde(rename = "WA_CALL_NUDGED")]
    Nudged {
        /// How many times it has, in a row.
        times: u64,
    },
    /// The model's session broke; another one takes its place.
    #[serde(rename = "WA_CALL_SESSION_LOST")]
    SessionLost {
        /// How it broke.
        reason: String,
    },
    /// Another session has taken over, with what was said so far.
    #[serde(rename = "WA_CALL_SESSION_RESTORED")]
    SessionRestored {
        /// How long the agent could not hear.
        took_ms: u64,
        /// Whether it came before the old one ended.
        planned: bool,
    },
    /// The model cannot be had until somebody puts something right.
    #[serde(rename = "WA_CALL_AGENT_FAILED")]
    AgentFailed {
        /// The model's code.
        code: String,
        /// What puts it right.
        cure: String,
    },
    /// OpenAI refused an optional part of the session, which goes on without it; so do the agent's later calls in this task.
    #[serde(rename = "WA_CALL_PART_REFUSED")]
    PartRefused {
        /// `transcription`, `noise_reduction`, `reasoning` or `speed`.
        part: String,
        /// OpenAI's code.
        code: String,
    },
    /// What the caller says cannot be written down. Told once in a call.
    #[serde(rename = "WA_CALL_TRANSCRIPTION_FAILED")]
    TranscriptionFailed {
        /// The model that was to write it down.
        model: String,
        /// OpenAI's code.
        code: String,
    },
    /// What the model's sessions took, in tokens by kind, fresh and cached ones apart, and what that costs.
    #[serde(rename = "WA_CALL_USAGE")]
    Usage {
        /// The agent's name.
        #[serde(default)]
        agent: String,
        /// The model.
        model: String,
        /// Tokens of text that went in fresh.
        text_in: u64,
        /// Tokens of text that went in from the cache.
        text_cached: u64,
        /// Tokens of text that came out.
        text_out: u64,
        /// Tokens of sound that went in fresh.
        audio_in: u64,
        /// Tokens of sound that went in from the cache.
        audio_cached: u64,
        /// Tokens of sound that came out.
        audio_out: u64,
        /// Tokens that writing down the caller's words took.
        #[serde(default)]
        transcript_in: u64,
        /// Tokens of the caller's words.
        #[serde(default)]
        transcript_out: u64,
        /// How much sound was written down, where that is billed by time.
        #[serde(default)]
        transcript_ms: u64,
        /// What all of it cost; missing when the model's price is not known.
        micro_dollars: Option<u64>,
        /// Whether writing down the caller's words is in it: not where its price is not known.
        #[serde(default)]
        transcription_priced: bool,
        /// The date of the price table, `yyyy-mm-dd`.
        prices_of: String,
    },
    /// Four fifths of what the number's calls may cost in a day are spent. Told once a day and number, by the call that finds it so.
    #[serde(rename = "WA_CALL_CAP_NEAR")]
    CapNear {
        /// What the day's calls have cost by now.
        spent_micro_dollars: u64,
        /// What they may cost: `dollars_a_day` of the agent's file.
        cap_micro_dollars: u64,
    },
    /// Something was not done for the caller: it was done as often as the agent's file allows.
    #[serde(rename = "WA_CALL_ACTION_REFUSED")]
    ActionRefused {
        /// `message` (of the agent), `tool`, or `notice`: the message that says why a call was not taken, or broke off.
        action: String,
        /// `call`: in this call; `hour`: for this caller in an hour.
        budget: String,
    },
    /// The call was not taken to an agent.
    #[serde(rename = "WA_CALL_TURNED_AWAY")]
    TurnedAway {
        /// `closed`, `over_budget` (too much spent today) or `called_too_often`.
        why: String,
    },
    /// The call was refused: somebody called whom we wanted to hear, and something of ours or of Meta's was missing.
    #[serde(rename = "WA_CALL_REFUSED")]
    Refused {
        /// The ending it gave the call.
        why: String,
    },
    /// The call is lost: the media task that had it is gone.
    #[serde(rename = "WA_CALL_LOST")]
    Lost {
        /// The task.
        task: String,
    },
    /// The model's session had an error from which it goes on.
    #[serde(rename = "WA_CALL_AGENT_TROUBLE")]
    AgentTrouble {
        /// The model's code.
        code: String,
    },
    /// A response of the model brought no sound and no call of a tool, or ended in the middle of a sentence.
    #[serde(rename = "WA_CALL_RESPONSE_LACKING")]
    ResponseLacking {
        /// What it was for: `greeting`, `answer`, or `asked`: a goodbye, or whether the caller is still there.
        purpose: String,
        /// `completed` or `incomplete`.
        status: String,
        /// The model's word for why, such as `max_output_tokens` or `content_filter`, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What was done about it: `asked_again`, `another_session`, `gave_up`, `gone_on` with the half sentence, `left` since it
        /// had been gone on with before, or `done` since goodbye was said.
        then: String,
    },
    /// The tools of a remote MCP server cannot be listed: the agent has to do without them in this call.
    #[serde(rename = "WA_CALL_TOOLS_MISSING")]
    ToolsMissing {
        /// The server, as the agent's file names it.
        server: String,
    },
    /// The sound of the call, counted: up is from the caller, down is to the caller, as the far side reports it if it does.
    #[serde(rename = "WA_CALL_MEDIA")]
    Media {
        /// Packets that came.
        received: u64,
        /// Packets that never came, or too late.
        lost: u64,
        /// Of the lost ones, those that a later packet brought again.
        recovered: u64,
        /// Frames that were made up in place of lost ones.
        #[serde(default)]
        concealed: u64,
        /// Packets that came twice.
        #[serde(default)]
        duplicates: u64,
        /// Packets that came when they were given up as lost.
        #[serde(default)]
        tardy: u64,
        /// Packets of a payload type nobody agreed on.
        #[serde(default)]
        foreign: u64,
        /// Packets that could not be read.
        #[serde(default)]
        malformed: u64,
        /// Packets that were too many at once.
        #[serde(default)]
        flooded: u64,
        /// How often the caller's stream began anew.
        #[serde(default)]
        restarts: u64,
        /// Key presses that were too many, and did not count.
        #[serde(default, skip_serializing_if = "is_zero")]
        keys_dropped: u64,
        /// Packets that were sent.
        sent: u64,
        /// How late frames were sent: all but one of a hundred were no later.
        late_p99_ms: u64,
        /// Frames that the model was not sent, since its socket was full.
        unsent_to_agent: u64,
        /// How unevenly packets came.
        #[serde(default)]
        jitter_up_ms: u64,
        /// How many of a thousand packets to the caller were lost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loss_down_permille: Option<u64>,
        /// How unevenly packets reached the caller.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jitter_down_ms: Option<u64>,
        /// To the far side and back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        round_trip_ms: Option<u64>,
        /// How well the agent could hear the caller, by the E-model, in hundredths: 441 is 4.41.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mos_up: Option<u64>,
        /// How well the caller could hear the agent, by the E-model, in hundredths.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mos_down: Option<u64>,
    },
    /// Something is wrong with the call's media (`docs/media.md`). Of a caller who is muted it is no warning: that call is well.
    #[serde(rename = "WA_CALL_MEDIA_VERDICT")]
    MediaVerdict {
        /// What.
        verdict: String,
        /// What was seen of it.
        evidence: String,
        /// What helps.
        cure: String,
    },
    /// An action at Meta failed. An error when somebody must put something right.
    #[serde(rename = "WA_CALL_META_TROUBLE")]
    MetaTrouble {
        /// What was tried.
        action: String,
        /// Meta's code.
        code: u32,
        /// Meta's words.
        reason: String,
        /// What puts it right; empty when nobody has to.
        cure: String,
    },
    /// The caller was sent a message: why nobody could talk.
    #[serde(rename = "WA_CALL_CALLER_TOLD")]
    CallerTold {
        /// The ending that the message is about.
        why: String,
    },
    /// A message to the caller was taken by Meta and failed later. An error when the operator has something to put right.
    #[serde(rename = "WA_CALL_MESSAGE_FAILED")]
    MessageFailed {
        /// Meta's code.
        code: u32,
        /// What it means.
        reason: String,
        /// What puts it right; empty when nothing can.
        cure: String,
    },
    /// The media task did not answer at its door.
    #[serde(rename = "WA_CALL_TASK_SILENT")]
    TaskSilent {
        /// The task.
        task: String,
    },
    /// Something owed after the end of the call failed too often, and is tried no more; or the call's item cannot be read, and is
    /// looked at no more.
    #[serde(rename = "WA_CALL_GIVEN_UP")]
    GivenUp {
        /// What: an effect, or `item`.
        what: String,
        /// What is wrong with an item.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// Somebody wanted to be forgotten: all that was stored of them is gone. Of no call, and kept with the number.
    #[serde(rename = "WA_CALL_FORGOTTEN")]
    Forgotten {
        /// The business number that they had called, as its id.
        number: String,
        /// How many calls of theirs to this number were known.
        calls: u64,
    },
    /// The call ended.
    #[serde(rename = "WA_CALL_ENDED")]
    Ended {
        /// Why.
        ending: String,
        /// Who ended it: `caller`, `agent`, `us` or `meta`.
        by: String,
        /// Since it was accepted; nothing if it never was.
        lasted_ms: u64,
    },
    /// An event that this release cannot read: a later one wrote it. Never written but as it was read.
    #[serde(untagged)]
    #[cfg_attr(any(test, feature = "schema"), schemars(skip))]
    Other(OtherEvent),
}

/// Whether a field that releases before did not write has nothing to say.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_of_an_older_release_can_be_read() {
        let old = r#"{"event":"WA_CALL_MEDIA","received":9,"lost":1,"recovered":1,"sent":10,"late_p99_ms":2,"unsent_to_agent":0}"#;

        let event: JournalEvent = serde_json::from_str(old).expect("what it does not say is nothing");

        assert!(matches!(
            event,
            JournalEvent::Media { received: 9, concealed: 0, round_trip_ms: None, mos_up: None, .. }
        ));
    }
}
