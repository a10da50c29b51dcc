//! The journal events: everything that is recorded about a call, by name.

mod level;
mod meaning;
mod other;
mod redaction;

use call::{Ending, Fence, NumberId, Party, Recorded, TaskId};
pub use level::Level;
pub use meaning::{EventMeaning, EventSpan};
pub use other::OtherEvent;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The count of an event that an older release wrote without one.
fn one() -> u64 {
    1
}

/// An event of a call, with its fields. `docs/events.md` is generated from these comments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(tag = "event")]
pub enum JournalEvent {
    /// The webhook received a call: Meta's `connect` with the SDP offer, or OpenAI's event of a call by SIP.
    #[serde(rename = "WA_CALL_CONNECT")]
    Connect {
        /// The phone number id of the business number that was called; on the telephone line, its name.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        number: NumberId,
    },
    /// The call is for a business number that this stack does not serve. It is recorded and not answered.
    #[serde(rename = "WA_CALL_NOT_OURS")]
    NotOurs {
        /// The phone number id of the business number that was called; on the telephone line, its last two digits.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        number: NumberId,
    },
    /// The notice of the call is too old to be answered, or far ahead of this host's clock. The call is recorded and not answered.
    #[serde(rename = "WA_CALL_STALE")]
    Stale {
        /// The phone number id of the business number that was called; on the telephone line, its name.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        number: NumberId,
        /// The age of the notice.
        late_ms: u64,
        /// How far the notice was ahead of this host's clock; 0 if it was not.
        #[serde(default)]
        ahead_ms: u64,
    },
    /// Webhook requests were refused. Belongs to no call and is only logged, by each process at most once a second.
    #[serde(rename = "WA_CALL_WEBHOOK_REFUSED")]
    WebhookRefused {
        /// `signature`: the HMAC does not match any of Meta's app secrets that are configured. `openai-signature`: the same of OpenAI's
        /// webhook, or its time is off by more than five minutes.
        why: String,
        /// The number of requests since this event was last logged.
        #[serde(default = "one")]
        count: u64,
    },
    /// Meta reports that the call is over.
    #[serde(rename = "WA_CALL_OVER")]
    Over {
        /// The status that Meta reports.
        status: String,
        /// Meta's error codes, if there are any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<u64>,
        /// The duration of the talk that Meta reports; missing when the call was not answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        talked_s: Option<u64>,
    },
    /// Meta offers media of the call for download.
    #[serde(rename = "WA_CALL_MEDIA_AT_META")]
    MediaAtMeta {
        /// `recording`, `transcript` or `voicemail`.
        kind: String,
        /// Meta's media id.
        media: String,
        /// The MIME type.
        mime_type: String,
    },
    /// The caller answered a request for permission to call them.
    #[serde(rename = "WA_CALL_PERMISSION_REPLY")]
    PermissionReply {
        /// Whether the permission was granted.
        is_granted: bool,
        /// Whether the permission is permanent.
        is_permanent: bool,
        /// When the permission expires, in seconds since 1970; missing when it is permanent or not granted.
        until_s: Option<u64>,
    },
    /// The webhook received another notice about the call.
    #[serde(rename = "WA_CALL_NOTICE")]
    Notice {
        /// The name of the notice at Meta.
        notice: String,
        /// The status that Meta reports.
        status: String,
    },
    /// The call was assigned to a media task.
    #[serde(rename = "WA_CALL_CLAIMED")]
    Claimed {
        /// The media task's id.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        task: TaskId,
        /// The fencing token of the assignment.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "u64"))]
        fence: Fence,
    },
    /// The assigned media task refused the call, or could not be reached.
    #[serde(rename = "WA_CALL_SEAT_REFUSED")]
    SeatRefused {
        /// The media task's id.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        task: TaskId,
        /// The task's reason, or why it could not be reached.
        reason: String,
    },
    /// No media task had a free slot, and another task was launched.
    #[serde(rename = "WA_CALL_TASK_LAUNCHED")]
    TaskLaunched {
        /// The launched task.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        task: TaskId,
    },
    /// The media task answered the SDP offer.
    #[serde(rename = "WA_CALL_ANSWERED")]
    Answered {
        /// The time the task took to answer.
        took_ms: u64,
        /// `warm`: a running task had a slot; `cold`: a task was launched for this call.
        #[serde(default)]
        start: String,
    },
    /// No task can answer the SDP offer.
    #[serde(rename = "WA_CALL_OFFER_UNANSWERABLE")]
    OfferUnanswerable {
        /// What the offer lacks.
        reason: String,
    },
    /// Meta took the SDP answer (`pre_accept`).
    #[serde(rename = "WA_CALL_PRE_ACCEPTED")]
    PreAccepted {},
    /// The model's session is configured and the greeting may begin.
    #[serde(rename = "WA_CALL_AGENT_READY")]
    AgentReady {
        /// The time since the task was offered the call.
        took_ms: u64,
    },
    /// The lookup of the agent's file was asked who calls.
    #[serde(rename = "WA_CALL_LOOKUP")]
    Lookup {
        /// The time until the answer, or until the call went on without.
        took_ms: u64,
        /// `used`: the call uses the answer. `refused`: the answer refuses the call. `late`: there was none in time. `wrong`: it is not one that
        /// can be read. `failed`: the request failed, or its status is an error.
        outcome: String,
        /// The HTTP status of an answer that could not be used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u64>,
    },
    /// Media is connected: ICE and DTLS are done.
    #[serde(rename = "WA_CALL_MEDIA_CONNECTED")]
    MediaConnected {
        /// The time since the task was offered the call.
        took_ms: u64,
    },
    /// Meta accepted the call (`accept`).
    #[serde(rename = "WA_CALL_ACCEPTED")]
    Accepted {},
    /// The line is open: caller and agent hear each other.
    #[serde(rename = "WA_CALL_OPENED")]
    Opened {},
    /// The first frame of the agent's speech was sent.
    #[serde(rename = "WA_CALL_FIRST_WORD")]
    FirstWord {
        /// The time since the line opened.
        after_open_ms: u64,
    },
    /// The agent answered the caller.
    #[serde(rename = "WA_CALL_TURN")]
    Turn {
        /// The number of the turn in the call, from 1.
        turn: u64,
        /// The response latency: from the end of the caller's speech, as the model detected it, to the first frame of speech sent.
        took_ms: u64,
        /// The part of that time spent waiting for tools.
        #[serde(default)]
        tool_ms: u64,
    },
    /// The caller spoke over the agent (barge-in).
    #[serde(rename = "WA_CALL_INTERRUPTED")]
    Interrupted {
        /// The interrupted conversation item, by the model's id.
        item: String,
        /// How much of its audio had been played to the caller.
        heard_ms: u64,
        /// How much of its audio had been generated; missing where OpenAI plays it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of_ms: Option<u64>,
    },
    /// The agent called a tool.
    #[serde(rename = "WA_CALL_TOOL")]
    Tool {
        /// The tool; `unknown` when the model named one that does not exist.
        tool: String,
        /// The duration of the tool call.
        took_ms: u64,
        /// `done`, `failed`, `timed_out` or `refused` (wrong arguments, an unknown tool, or `end_call` too early). For a message to the
        /// caller, `timed_out` means that it may have been sent.
        outcome: String,
    },
    /// The caller pressed keys (DTMF). Which keys is not recorded.
    #[serde(rename = "WA_CALL_KEYS")]
    Keys {
        /// The number of keys pressed.
        count: u64,
    },
    /// Too many keys were pressed (DTMF): more than 64 at once, four a second, or a thousand in the call. Further keys over the limit are
    /// counted and dropped. Recorded once a call.
    #[serde(rename = "WA_CALL_KEYS_DROPPED")]
    KeysDropped {},
    /// Both sides were silent for a while: the agent asks whether the caller is still there.
    #[serde(rename = "WA_CALL_NUDGED")]
    Nudged {
        /// The number of such prompts in a row.
        times: u64,
    },
    /// The model's session was lost; a new one is opened.
    #[serde(rename = "WA_CALL_SESSION_LOST")]
    SessionLost {
        /// The error that ended the session.
        reason: String,
    },
    /// A new session with the model has replaced the old one, with the conversation history (rollover).
    #[serde(rename = "WA_CALL_SESSION_RESTORED")]
    SessionRestored {
        /// How long the model received no audio.
        took_ms: u64,
        /// Whether the new session was ready before the old one ended.
        planned: bool,
    },
    /// The connection to OpenAI's session of a SIP call was lost. The call goes on, and another connection is opened.
    #[serde(rename = "WA_CALL_SIDEBAND_LOST")]
    SidebandLost {
        /// The error that ended the connection.
        reason: String,
    },
    /// The task is connected to OpenAI's session of a SIP call again.
    #[serde(rename = "WA_CALL_SIDEBAND_BACK")]
    SidebandBack {
        /// How long the call went on without the task.
        took_ms: u64,
    },
    /// The agent transferred the call to another number.
    #[serde(rename = "WA_CALL_TRANSFERRED")]
    Transferred {
        /// `tel` or `sip`: the kind of address. The address itself is in the agent's file.
        target_kind: String,
    },
    /// The model is unavailable until the operator corrects something.
    #[serde(rename = "WA_CALL_AGENT_FAILED")]
    AgentFailed {
        /// The error code of the model's API.
        code: String,
        /// What the operator has to do.
        cure: String,
    },
    /// OpenAI refused an optional part of the session's configuration. The session continues without it, as do later calls of the agent in
    /// this task.
    #[serde(rename = "WA_CALL_PART_REFUSED")]
    PartRefused {
        /// `transcription`, `noise_reduction`, `reasoning`, `speed` or `vad_numbers`.
        part: String,
        /// OpenAI's error code.
        code: String,
    },
    /// The caller's speech cannot be transcribed. Recorded once a call.
    #[serde(rename = "WA_CALL_TRANSCRIPTION_FAILED")]
    TranscriptionFailed {
        /// The transcription model.
        model: String,
        /// OpenAI's error code.
        code: String,
    },
    /// The tokens that the model's sessions used, by kind, fresh and cached ones apart, and their cost.
    #[serde(rename = "WA_CALL_USAGE")]
    Usage {
        /// The name of the agent.
        #[serde(default)]
        agent: String,
        /// The name of the model.
        model: String,
        /// Text input tokens, not cached.
        text_in: u64,
        /// Text input tokens, cached.
        text_cached: u64,
        /// Text output tokens.
        text_out: u64,
        /// Audio input tokens, not cached.
        audio_in: u64,
        /// Audio input tokens, cached.
        audio_cached: u64,
        /// Audio output tokens.
        audio_out: u64,
        /// Input tokens of the transcription model.
        #[serde(default)]
        transcript_in: u64,
        /// Output tokens of the transcription model.
        #[serde(default)]
        transcript_out: u64,
        /// The duration of transcribed audio, where transcription is billed by time.
        #[serde(default)]
        transcript_ms: u64,
        /// The total cost; missing when the model's price is not known.
        micro_dollars: Option<u64>,
        /// Whether the cost includes transcription, which it does not where its price is not known.
        #[serde(default)]
        transcription_priced: bool,
        /// The date of the price table, `yyyy-mm-dd`.
        prices_of: String,
    },
    /// Four fifths of the number's daily spending cap are used. Recorded once a day and number, by the call that finds it so.
    #[serde(rename = "WA_CALL_CAP_NEAR")]
    CapNear {
        /// What the day's calls have cost so far.
        spent_micro_dollars: u64,
        /// The cap: `dollars_a_day` in the agent's file.
        cap_micro_dollars: u64,
    },
    /// An action for the caller was refused: its limit was reached.
    #[serde(rename = "WA_CALL_ACTION_REFUSED")]
    ActionRefused {
        /// `message` (from the agent), `tool`, `transfer`, or `notice`: the message that explains why a call was not taken, or broke off.
        action: String,
        /// The limit: `call` for this call, `hour` for this caller within an hour, `day` for transfers of the number's calls in a day.
        budget: String,
    },
    /// The call was turned away by the agent's rules or the business's lookup.
    #[serde(rename = "WA_CALL_TURNED_AWAY")]
    TurnedAway {
        /// `closed`, `over_budget` (the day's spending cap is reached), `called_too_often`, `untrusted` (the trunk's key is missing or
        /// wrong), or `refused_by_lookup`.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        why: Recorded<Ending>,
    },
    /// The business's lookup chose the agent that takes the call.
    #[serde(rename = "WA_CALL_AGENT_CHOSEN")]
    AgentChosen {
        /// The agent's name.
        agent: String,
    },
    /// What the business's lookup asked for was not done, and the call went on without it.
    #[serde(rename = "WA_CALL_LOOKUP_REFUSED")]
    LookupRefused {
        /// Why: an agent that the file does not allow or that was not pushed, a language that is none, a call that was accepted before, or a
        /// decision that did not come in time.
        reason: String,
    },
    /// The call could not be answered, for a reason on this side or at Meta.
    #[serde(rename = "WA_CALL_REFUSED")]
    Refused {
        /// The ending of the call.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        why: Recorded<Ending>,
    },
    /// The call is lost: its media task is gone.
    #[serde(rename = "WA_CALL_LOST")]
    Lost {
        /// The media task's id.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        task: TaskId,
    },
    /// The model's API reported an error that does not end the session.
    #[serde(rename = "WA_CALL_AGENT_TROUBLE")]
    AgentTrouble {
        /// The error code of the model's API.
        code: String,
    },
    /// A response of the model had neither audio nor a tool call, or ended in mid-sentence.
    #[serde(rename = "WA_CALL_RESPONSE_LACKING")]
    ResponseLacking {
        /// The response's purpose: `greeting`, `answer`, or `asked` (a goodbye, or the question whether the caller is still there).
        purpose: String,
        /// `completed` or `incomplete`.
        status: String,
        /// The reason that the model's API gives, such as `max_output_tokens` or `content_filter`, if it gives one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The reaction: `asked_again`, `another_session`, `gave_up`, `gone_on` (continued the half sentence), `left` (it had been
        /// continued before), or `done` (goodbye was already said).
        then: String,
    },
    /// The tools of a remote MCP server cannot be listed: the agent has no access to them in this call.
    #[serde(rename = "WA_CALL_TOOLS_MISSING")]
    ToolsMissing {
        /// The server, as the agent's file names it.
        server: String,
    },
    /// The media statistics of the call. `up` is from the caller; `down` is to the caller, as far as RTCP reports say.
    #[serde(rename = "WA_CALL_MEDIA")]
    Media {
        /// RTP packets received.
        received: u64,
        /// RTP packets lost: they never arrived, or arrived too late.
        lost: u64,
        /// Lost packets that were recovered from a later one (Opus in-band FEC).
        recovered: u64,
        /// Frames synthesized in place of lost ones (packet loss concealment).
        #[serde(default)]
        concealed: u64,
        /// Duplicate RTP packets.
        #[serde(default)]
        duplicates: u64,
        /// RTP packets that arrived after they were counted as lost.
        #[serde(default)]
        tardy: u64,
        /// RTP packets of a payload type that was not negotiated.
        #[serde(default)]
        foreign: u64,
        /// Malformed RTP packets.
        #[serde(default)]
        malformed: u64,
        /// RTP packets dropped because too many arrived at once.
        #[serde(default)]
        flooded: u64,
        /// The number of times the caller's RTP stream restarted.
        #[serde(default)]
        restarts: u64,
        /// Key presses (DTMF) dropped over the limit.
        #[serde(default, skip_serializing_if = "is_zero")]
        keys_dropped: u64,
        /// RTP packets sent.
        sent: u64,
        /// The 99th percentile of how late frames were sent.
        late_p99_ms: u64,
        /// Frames not sent to the model because its socket's send queue was full.
        unsent_to_agent: u64,
        /// The interarrival jitter of the caller's packets.
        #[serde(default)]
        jitter_up_ms: u64,
        /// Packets to the caller that were lost, of a thousand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loss_down_permille: Option<u64>,
        /// The interarrival jitter that the caller's side reports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jitter_down_ms: Option<u64>,
        /// The round-trip time to the far side.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        round_trip_ms: Option<u64>,
        /// The estimated MOS (E-model) of what the agent heard, in hundredths: 441 is 4.41.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mos_up: Option<u64>,
        /// The estimated MOS (E-model) of what the caller heard, in hundredths.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mos_down: Option<u64>,
    },
    /// The diagnosis of a fault in the call's media (`docs/media.md`). Not a warning for `caller_muted`, which is no fault.
    #[serde(rename = "WA_CALL_MEDIA_VERDICT")]
    MediaVerdict {
        /// The name of the diagnosis.
        verdict: String,
        /// The observations that support it.
        evidence: String,
        /// What the operator can do about it.
        cure: String,
    },
    /// A request to Meta failed. An error when the operator has to correct something.
    #[serde(rename = "WA_CALL_META_TROUBLE")]
    MetaTrouble {
        /// The action that failed.
        action: String,
        /// Meta's error code.
        code: u32,
        /// Meta's error message.
        reason: String,
        /// What the operator has to do; empty when nothing.
        cure: String,
    },
    /// A request about a call to the service of another line than WhatsApp failed. An error when the operator has to correct something.
    #[serde(rename = "WA_CALL_LINE_TROUBLE")]
    LineTrouble {
        /// The action that failed.
        action: String,
        /// The service's error code; empty without one.
        code: String,
        /// The service's error message.
        reason: String,
        /// What the operator has to do; empty when nothing.
        cure: String,
    },
    /// The trunk sends the call's audio in the clear, which may be why the call is silent.
    #[serde(rename = "WA_CALL_LINE_INSECURE")]
    LineInsecure {},
    /// The caller was sent a message that explains why the call was not answered, or broke off.
    #[serde(rename = "WA_CALL_CALLER_TOLD")]
    CallerTold {
        /// The ending that the message is about.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        why: Recorded<Ending>,
    },
    /// A message to the caller failed after Meta had taken it. An error when the operator has to correct something.
    #[serde(rename = "WA_CALL_MESSAGE_FAILED")]
    MessageFailed {
        /// Meta's error code.
        code: u32,
        /// The meaning of the code.
        reason: String,
        /// What the operator has to do; empty when nothing helps.
        cure: String,
    },
    /// The media task's control API did not respond.
    #[serde(rename = "WA_CALL_TASK_SILENT")]
    TaskSilent {
        /// The media task's id.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        task: TaskId,
    },
    /// An effect of an ended call failed too often and was dropped; or the call's item cannot be read and is no longer processed.
    #[serde(rename = "WA_CALL_GIVEN_UP")]
    GivenUp {
        /// The effect, or `item`.
        what: String,
        /// Why the item cannot be read.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// The business was sent an event of the call, as `[after]` of the agent's file asks for.
    #[serde(rename = "WA_CALL_AFTER_SENT")]
    AfterSent {
        /// The event that the business is told: `call.ended`, `message.taken` and so on.
        what: String,
        /// `delivered`, `refused` (the business wants no more of it: status 410), `again` (it is sent again later), or `unwanted`: nothing
        /// was sent, since the agent's file asks for it no more.
        outcome: String,
        /// The HTTP status; missing without a reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u64>,
        /// Why there was no reply, or nothing was sent; empty with a status.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
        /// How often it was tried, with this time.
        tries: u64,
        /// How long the request took.
        took_ms: u64,
    },
    /// The business did not get an event of the call, and it is not sent again.
    #[serde(rename = "WA_CALL_AFTER_GIVEN_UP")]
    AfterGivenUp {
        /// The event that the business was to be told.
        what: String,
        /// The HTTP status of the last try; missing without a reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u64>,
        /// Why there was no reply, or nothing was sent; empty with a status.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
        /// How often it was tried.
        tries: u64,
    },
    /// A text model was asked to extract fields and a summary from the transcript, as `[after.extract]` asks for.
    #[serde(rename = "WA_CALL_AFTER_EXTRACTED")]
    AfterExtracted {
        /// The name of the model.
        model: String,
        /// `done`, `failed` (the event is sent without), or `again`: the model is asked again later.
        outcome: String,
        /// OpenAI's error code or a word of ours; empty when it is done.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        code: String,
        /// How long the request took.
        took_ms: u64,
        /// What it cost; missing when the model's price is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        micro_dollars: Option<u64>,
    },
    /// A person's data was deleted on request. Belongs to no call, and is stored with the number.
    #[serde(rename = "WA_CALL_FORGOTTEN")]
    Forgotten {
        /// The phone number id of the business number that they had called; on the telephone line, its name.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        number: NumberId,
        /// The number of their calls to this number that were known.
        calls: u64,
    },
    /// The call ended.
    #[serde(rename = "WA_CALL_ENDED")]
    Ended {
        /// Why the call ended.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        ending: Recorded<Ending>,
        /// Who ended it: `caller`, `agent`, `us`, `meta`, or `line`: the service of another line than WhatsApp.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
        by: Recorded<Party>,
        /// The time since the call was accepted; 0 if it never was.
        lasted_ms: u64,
    },
    /// An event that this release cannot read, because a later one wrote it. Written back exactly as it was read.
    #[serde(untagged)]
    #[cfg_attr(any(test, feature = "schema"), schemars(skip))]
    Other(OtherEvent),
}

impl JournalEvent {
    /// Returns the fields of the event, its name among them.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) | Err(_) => unreachable!("an event is a map with text keys"),
        }
    }
}

/// Whether a count is zero: such a field is not written, as in previous releases.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_releases_event_is_read() {
        let old = r#"{"event":"WA_CALL_MEDIA","received":9,"lost":1,"recovered":1,"sent":10,"late_p99_ms":2,"unsent_to_agent":0}"#;

        let event: JournalEvent = serde_json::from_str(old).expect("what it does not say is nothing");

        assert!(matches!(
            event,
            JournalEvent::Media { received: 9, concealed: 0, round_trip_ms: None, mos_up: None, .. }
        ));
    }
}
