//! Everything that can happen in a call, by name.

use serde::{Deserialize, Serialize};

/// An event of a call, with its fields. Durations are milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event")]
#[allow(missing_docs, reason = "each variant says what its fields are")]
pub enum Event {
    /// Meta told us that somebody calls.
    #[serde(rename = "WA_CALL_CONNECT")]
    Connect { number: String },
    /// The call is for a number that is not ours: recorded, not answered.
    #[serde(rename = "WA_CALL_NOT_OURS")]
    NotOurs { number: String },
    /// Meta told us of the call when it was too late to answer it: recorded, not answered.
    #[serde(rename = "WA_CALL_STALE")]
    Stale { number: String, late_ms: u64 },
    /// Meta says that the call is over. `talked_s` is missing when nobody picked up.
    #[serde(rename = "WA_CALL_OVER")]
    Over {
        status: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        talked_s: Option<u64>,
    },
    /// Meta has something of the call for us to fetch: its recording, its transcript or a voicemail.
    #[serde(rename = "WA_CALL_MEDIA_AT_META")]
    MediaAtMeta { kind: String, media: String, mime_type: String },
    /// The caller said whether we may call them.
    #[serde(rename = "WA_CALL_PERMISSION_REPLY")]
    PermissionReply { is_granted: bool, is_permanent: bool, until_s: Option<u64> },
    /// Meta told us something else about the call.
    #[serde(rename = "WA_CALL_NOTICE")]
    Notice { notice: String, status: String },
    /// A media task was chosen for the call.
    #[serde(rename = "WA_CALL_CLAIMED")]
    Claimed { task: String, fence: u64 },
    /// The chosen media task would not have it, or could not be reached.
    #[serde(rename = "WA_CALL_SEAT_REFUSED")]
    SeatRefused { task: String, reason: String },
    /// No media task had a free slot: another one is being started.
    #[serde(rename = "WA_CALL_TASK_LAUNCHED")]
    TaskLaunched { task: String },
    /// The media task answered the offer.
    #[serde(rename = "WA_CALL_ANSWERED")]
    Answered { took_ms: u64 },
    /// The offer is one we cannot answer.
    #[serde(rename = "WA_CALL_OFFER_UNANSWERABLE")]
    OfferUnanswerable { reason: String },
    /// Meta took our answer.
    #[serde(rename = "WA_CALL_PRE_ACCEPTED")]
    PreAccepted {},
    /// The agent's model is configured and may speak.
    #[serde(rename = "WA_CALL_AGENT_READY")]
    AgentReady { took_ms: u64 },
    /// ICE and DTLS are done.
    #[serde(rename = "WA_CALL_MEDIA_CONNECTED")]
    MediaConnected { took_ms: u64 },
    /// Meta picked up for us.
    #[serde(rename = "WA_CALL_ACCEPTED")]
    Accepted {},
    /// The line is open: caller and agent hear each other.
    #[serde(rename = "WA_CALL_OPENED")]
    Opened {},
    /// The first of the agent's voice was sent.
    #[serde(rename = "WA_CALL_FIRST_WORD")]
    FirstWord { after_open_ms: u64 },
    /// The agent answered the caller: from the end of the caller's speech, as the model heard it, to the first voice sent.
    /// `tool_ms` of it were spent waiting for tools.
    #[serde(rename = "WA_CALL_TURN")]
    Turn {
        turn: u64,
        took_ms: u64,
        #[serde(default)]
        tool_ms: u64,
    },
    /// The caller spoke over the agent. `heard_ms` of `of_ms` of what was being said had been sent.
    #[serde(rename = "WA_CALL_INTERRUPTED")]
    Interrupted { item: String, heard_ms: u64, of_ms: u64 },
    /// The agent used a tool. `outcome` is `done`, `failed`, `timed_out` or `refused` (its arguments, or it is not there: such a
    /// tool is `unknown`). `timed_out` of a message to the caller: nobody knows whether it was sent.
    #[serde(rename = "WA_CALL_TOOL")]
    Tool { tool: String, took_ms: u64, outcome: String },
    /// The caller pressed keys. Which ones is nobody's business here.
    #[serde(rename = "WA_CALL_KEYS")]
    Keys { count: u64 },
    /// Nobody said anything for a while: the agent asks whether the caller is still there.
    #[serde(rename = "WA_CALL_NUDGED")]
    Nudged { times: u64 },
    /// The model's session broke; another one takes its place.
    #[serde(rename = "WA_CALL_SESSION_LOST")]
    SessionLost { reason: String },
    /// Another session has taken over, with what was said so far. `planned` ones came before the old one ended.
    #[serde(rename = "WA_CALL_SESSION_RESTORED")]
    SessionRestored { took_ms: u64, planned: bool },
    /// The model cannot be had until somebody puts something right.
    #[serde(rename = "WA_CALL_AGENT_FAILED")]
    AgentFailed { code: String, cure: String },
    /// What the model's sessions took, in tokens by kind, fresh and cached ones apart, and what that costs by the price table
    /// of that date. Unless `transcription_priced`, writing down the caller's words is not in it: its price is not known.
    #[serde(rename = "WA_CALL_USAGE")]
    Usage {
        model: String,
        text_in: u64,
        text_cached: u64,
        text_out: u64,
        audio_in: u64,
        audio_cached: u64,
        audio_out: u64,
        #[serde(default)]
        transcript_in: u64,
        #[serde(default)]
        transcript_out: u64,
        #[serde(default)]
        transcript_ms: u64,
        micro_dollars: Option<u64>,
        #[serde(default)]
        transcription_priced: bool,
        prices_of: String,
    },
    /// The call was not taken to an agent: closed, too much spent today, or this caller called too often.
    #[serde(rename = "WA_CALL_TURNED_AWAY")]
    TurnedAway { why: String },
    /// The model's session had an error from which it goes on.
    #[serde(rename = "WA_CALL_AGENT_TROUBLE")]
    AgentTrouble { code: String },
    /// The sound of the call, counted. `up` is from the caller, `down` to the caller, as the far side reports it if it does.
    /// `tardy` packets came when they were given up as lost, `foreign` ones were of a payload type nobody agreed on. `mos` is the
    /// listening quality by the E-model, in hundredths: 441 is 4.41.
    #[serde(rename = "WA_CALL_MEDIA")]
    Media {
        received: u64,
        lost: u64,
        recovered: u64,
        #[serde(default)]
        concealed: u64,
        #[serde(default)]
        duplicates: u64,
        #[serde(default)]
        tardy: u64,
        #[serde(default)]
        foreign: u64,
        #[serde(default)]
        malformed: u64,
        #[serde(default)]
        flooded: u64,
        #[serde(default)]
        restarts: u64,
        sent: u64,
        late_p99_ms: u64,
        unsent_to_agent: u64,
        #[serde(default)]
        jitter_up_ms: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loss_down_permille: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jitter_down_ms: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        round_trip_ms: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mos_up: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mos_down: Option<u64>,
    },
    /// Something is wrong with the call's media: what, what was seen of it, and what helps (`docs/media.md`).
    #[serde(rename = "WA_CALL_MEDIA_VERDICT")]
    MediaVerdict { verdict: String, evidence: String, cure: String },
    /// An action at Meta failed.
    #[serde(rename = "WA_CALL_META_TROUBLE")]
    MetaTrouble { action: String, code: u32, reason: String, cure: String },
    /// The caller was sent a message: why nobody could talk.
    #[serde(rename = "WA_CALL_CALLER_TOLD")]
    CallerTold { why: String },
    /// The media task did not answer at its door.
    #[serde(rename = "WA_CALL_TASK_SILENT")]
    TaskSilent { task: String },
    /// Something owed after the end of the call failed too often, and is tried no more.
    #[serde(rename = "WA_CALL_GIVEN_UP")]
    GivenUp { what: String },
    /// The call ended.
    #[serde(rename = "WA_CALL_ENDED")]
    Ended { ending: String, by: String, lasted_ms: u64 },
}

/// How much somebody should care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// The course of things.
    Info,
    /// Something went wrong and was dealt with.
    Warn,
    /// Somebody should look.
    Error,
}

impl Event {
    /// How much somebody should care.
    pub fn level(&self) -> Level {
        match self {
            Self::SeatRefused { .. }
            | Self::OfferUnanswerable { .. }
            | Self::AgentTrouble { .. }
            | Self::SessionLost { .. }
            | Self::TurnedAway { .. }
            | Self::TaskSilent { .. }
            | Self::Stale { .. }
            | Self::CallerTold { .. } => Level::Warn,
            // A call whose caller is muted is well.
            Self::MediaVerdict { verdict, .. } if verdict == "caller_muted" => Level::Info,
            Self::MediaVerdict { .. } => Level::Warn,
            Self::GivenUp { .. } | Self::AgentFailed { .. } => Level::Error,
            Self::Tool { outcome, .. } if outcome != "done" => Level::Warn,
            Self::MetaTrouble { cure, .. } if !cure.is_empty() => Level::Error,
            Self::MetaTrouble { .. } => Level::Warn,
            Self::Connect { .. }
            | Self::NotOurs { .. }
            | Self::Over { .. }
            | Self::MediaAtMeta { .. }
            | Self::PermissionReply { .. }
            | Self::Notice { .. }
            | Self::Claimed { .. }
            | Self::TaskLaunched { .. }
            | Self::Answered { .. }
            | Self::PreAccepted {}
            | Self::AgentReady { .. }
            | Self::MediaConnected { .. }
            | Self::Accepted {}
            | Self::Opened {}
            | Self::FirstWord { .. }
            | Self::Turn { .. }
            | Self::Interrupted { .. }
            | Self::Tool { .. }
            | Self::Keys { .. }
            | Self::Nudged { .. }
            | Self::SessionRestored { .. }
            | Self::Usage { .. }
            | Self::Media { .. }
            | Self::Ended { .. } => Level::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_of_an_older_release_can_be_read() {
        let old = r#"{"event":"WA_CALL_MEDIA","received":9,"lost":1,"recovered":1,"sent":10,"late_p99_ms":2,"unsent_to_agent":0}"#;

        let event: Event = serde_json::from_str(old).expect("what it does not say is nothing");

        assert!(matches!(
            event,
            Event::Media { received: 9, concealed: 0, round_trip_ms: None, mos_up: None, .. }
        ));
    }
}
