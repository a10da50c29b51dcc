//! The text of each step of the timeline. What a reader need not know has none.

use call::TaskId;
use journal::JournalEvent;
use sim_meta::{ActionName, ObservationKind};

/// Who does it, and what.
type StepText = Option<(&'static str, String)>;

/// Describes an observation of Meta or the caller's phone.
pub(super) fn phone(seen: &ObservationKind) -> StepText {
    let step = |who, what: String| Some((who, what));
    match seen {
        ObservationKind::WebhookPosted { event: sim_meta::Event::Connect, attempt: 1 } => {
            step("caller → Meta → webhook", "rings".into())
        }
        ObservationKind::WebhookPosted { event: sim_meta::Event::Terminate, attempt: 1 } => {
            step("Meta → webhook", "tells that the call is over".into())
        }
        ObservationKind::WebhookPosted { attempt: 0, .. } => {
            step("stranger → webhook", "forges a webhook".into())
        }
        ObservationKind::WebhookPosted { event: sim_meta::Event::Foreign, .. } => {
            step("Meta → webhook", "tells of another number's call".into())
        }
        ObservationKind::WebhookPosted { event: sim_meta::Event::Message, attempt: 1 } => {
            step("Meta → webhook", "tells that a message failed".into())
        }
        ObservationKind::WebhookPosted { event, attempt } => {
            step("Meta → webhook", format!("sends {event} again, attempt {attempt}"))
        }
        ObservationKind::WebhookAnswered { event, status: Some(status) } => {
            step("webhook → Meta", format!("takes the {event} in: {status}"))
        }
        ObservationKind::WebhookAnswered { event, status: None } => {
            step("webhook → Meta", format!("does not answer the {event}"))
        }
        ObservationKind::Action { name, status: 200, code: None } => {
            step("Meta → call-control", done(*name).to_owned())
        }
        ObservationKind::Action { name, status, code } => {
            let code = code.map_or(String::new(), |code| format!(", code {code}"));
            step("Meta → call-control", format!("refuses {name}: {status}{code}"))
        }
        ObservationKind::IceConnected => step("media-task ↔ Meta", "ICE found a path".into()),
        ObservationKind::DtlsConnected => {
            step("media-task ↔ Meta", "DTLS is done: media is connected".into())
        }
        ObservationKind::FirstPacket => step("agent → caller", "first packet".into()),
        ObservationKind::AgentVoice => step("agent → caller", "speaks".into()),
        ObservationKind::AgentSilent { .. } => None,
        ObservationKind::CallerSpeaks { clip } => step("caller → agent", format!("says: {}", text(clip))),
        ObservationKind::CallerSpoke { .. } => step("caller → agent", "has finished".into()),
        ObservationKind::Violation(fault) => step("caller's phone", format!("FAULT: {fault}")),
        ObservationKind::Ended(ending) => {
            step("caller's phone", format!("the call is over: {}", words(*ending)))
        }
        ObservationKind::Terminated { .. } => None,
        ObservationKind::MessageSent => step("Meta → caller", "delivers a message".into()),
    }
}

fn done(action: ActionName) -> &'static str {
    match action {
        ActionName::PreAccept => "takes the answer (pre_accept)",
        ActionName::Accept => "picks up (accept): the caller is through",
        ActionName::Reject => "rejects the call",
        ActionName::Terminate => "hangs up (terminate)",
    }
}

fn words(ending: sim_meta::Ending) -> &'static str {
    match ending {
        sim_meta::Ending::CallerHungUp => "the caller hung up",
        sim_meta::Ending::Unanswered => "it rang too long",
        sim_meta::Ending::Rejected => "the business rejected it",
        sim_meta::Ending::Terminated => "the business hung up",
        sim_meta::Ending::TimedOut => "Meta says that we were too late (138007)",
        sim_meta::Ending::NoMedia => "no sound came for too long (138021)",
    }
}

/// Describes an observation of the model.
pub(super) fn model(seen: &sim_openai::ObservationKind) -> StepText {
    use sim_openai::ObservationKind as Model;
    let step = |what: String| Some(("model", what));
    match seen {
        Model::Connected { model } => step(format!("a session with {model} is open")),
        Model::Configured => step("the session is configured".into()),
        Model::GreetingRequested => step("is asked to greet".into()),
        Model::FirstAudioReceived => step("hears the line".into()),
        Model::SpeechStarted { .. } => step("hears the caller speak".into()),
        Model::SpeechStopped { .. } => step("hears the caller stop".into()),
        Model::Cancelled { .. } => step("drops the rest of its answer".into()),
        Model::Truncated { audio_end_ms, of_ms, .. } => {
            step(format!("learns that {audio_end_ms} of {of_ms} ms were heard"))
        }
        Model::Refused { why } => step(format!("REFUSES: {why}")),
        Model::Incomplete { reason, .. } => step(format!("stops in the middle: {reason}")),
        Model::Failed { code, .. } => step(format!("fails: {code}")),
        Model::Closed { why } => step(format!("the session is closed: {why}")),
        Model::FunctionCalled { name, .. } => step(format!("calls {name}")),
        Model::FunctionOutput { .. } => step("gets the result".into()),
        Model::FirstDelta { .. } => step("begins to answer".into()),
        Model::PlaybackStarted { .. } => step("is heard on the telephone".into()),
        Model::PlaybackStopped { .. } => step("was heard to the end".into()),
        Model::PlaybackCleared { .. } => step("falls silent".into()),
        Model::KeyPressed { .. } => step("hears a key".into()),
        Model::Committed { .. }
        | Model::Transcribed { .. }
        | Model::ResponseStarted { .. }
        | Model::LastDelta { .. }
        | Model::ResponseCompleted { .. } => None,
    }
}

/// Describes an event of the journal that the simulators do not observe themselves.
pub(super) fn entry(event: &JournalEvent) -> StepText {
    let control = |what: String| Some(("call-control", what));
    let task = |what: String| Some(("media-task", what));
    match event {
        JournalEvent::Claimed { task, .. } => control(format!("takes the call to task {}", short(task))),
        JournalEvent::SeatRefused { task, reason } => {
            control(format!("task {} would not: {reason}", short(task)))
        }
        JournalEvent::TaskLaunched { .. } => control("starts another media task".into()),
        JournalEvent::Answered { .. } => Some(("media-task → call-control", "answers the offer".into())),
        JournalEvent::OfferUnanswerable { reason } => task(format!("cannot answer: {reason}")),
        JournalEvent::AgentReady { .. } => task("the agent is ready".into()),
        JournalEvent::Lookup { took_ms, outcome, .. } => {
            task(format!("asked the business who calls: {outcome} after {took_ms} ms"))
        }
        JournalEvent::Opened {} => task("the line is open".into()),
        JournalEvent::Interrupted { heard_ms, of_ms, .. } => {
            let of = of_ms.map(|of| format!(" of {of}")).unwrap_or_default();
            task(format!("silences the agent: {heard_ms}{of} ms were played"))
        }
        JournalEvent::PartRefused { part, code } => task(format!("does without {part}: {code}")),
        JournalEvent::TranscriptionFailed { code, .. } => {
            task(format!("cannot write the caller's words down: {code}"))
        }
        JournalEvent::AgentTrouble { code } => task(format!("trouble with the model: {code}")),
        JournalEvent::ResponseLacking { purpose, then, .. } => {
            task(format!("the model brought too little ({purpose}): {then}"))
        }
        JournalEvent::ToolsMissing { server } => task(format!("the tools of {server} cannot be listed")),
        JournalEvent::AgentFailed { code, cure } => task(format!("the model cannot be had: {code}; {cure}")),
        JournalEvent::SessionLost { reason } => task(format!("has lost the model's session: {reason}")),
        JournalEvent::SessionRestored { took_ms, .. } => {
            task(format!("goes on in another session, after {took_ms} ms"))
        }
        JournalEvent::SidebandLost { reason } => task(format!("has lost the sideband: {reason}")),
        JournalEvent::SidebandBack { took_ms } => task(format!("has the sideband back, after {took_ms} ms")),
        JournalEvent::Transferred { target_kind } => task(format!("transfers the caller ({target_kind})")),
        JournalEvent::Tool { tool, took_ms, outcome } => {
            task(format!("uses {tool}: {outcome} after {took_ms} ms"))
        }
        JournalEvent::Keys { count } => task(format!("passes on {count} keys that the caller pressed")),
        JournalEvent::KeysDropped {} => task("drops keys: more than a caller can mean".to_owned()),
        JournalEvent::Nudged { .. } => task("asks whether the caller is still there".into()),
        JournalEvent::CapNear { .. } => task("notes that the day's cap is near".to_owned()),
        JournalEvent::ActionRefused { action, budget } => {
            task(format!("does no {action} more: the budget of the {budget}"))
        }
        JournalEvent::TurnedAway { why } => control(format!("takes no call: {why}")),
        JournalEvent::AgentChosen { agent } => {
            control(format!("gives the call to agent {agent}, as the lookup asks"))
        }
        JournalEvent::LookupRefused { reason } => {
            control(format!("does not do what the lookup asks: {reason}"))
        }
        JournalEvent::Refused { why } => control(format!("cannot take the call: {why}")),
        JournalEvent::Lost { task } => control(format!("has lost the call with task {}", short(task))),
        JournalEvent::MediaVerdict { verdict, evidence, .. } => {
            Some(("the media doctor", format!("{verdict}: {evidence}")))
        }
        JournalEvent::MetaTrouble { action, reason, .. }
        | JournalEvent::LineTrouble { action, reason, .. } => control(format!("{action} failed: {reason}")),
        JournalEvent::LineInsecure {} => Some(("webhook", "notes that the audio comes in the clear".into())),
        JournalEvent::TaskSilent { task } => {
            control(format!("task {} does not answer at its control API", short(task)))
        }
        JournalEvent::GivenUp { what, .. } => control(format!("gives up: {what}")),
        JournalEvent::MessageFailed { code, .. } => {
            control(format!("hears that a message failed (code {code})"))
        }
        JournalEvent::AfterSent { what, outcome, tries, .. } => {
            Some(("the outbox", format!("{what} {outcome} (attempt {tries})")))
        }
        JournalEvent::AfterGivenUp { what, tries, .. } => {
            Some(("the outbox", format!("gives {what} up after {tries} attempts")))
        }
        JournalEvent::AfterExtracted { outcome, .. } => {
            Some(("the outbox", format!("extraction from the transcript: {outcome}")))
        }
        JournalEvent::CallerTold { .. } => control("has written to the caller".into()),
        JournalEvent::Ended { ending, by, .. } => control(format!("the call has ended: {ending}, by {by}")),
        JournalEvent::Media { received, lost, round_trip_ms, mos_up, mos_down, .. } => {
            let opinion =
                |mos: &Option<u64>| mos.map_or("unknown".into(), |mos| format!("{:.2}", mos as f64 / 100.0));
            let round_trip = round_trip_ms.map_or("unknown".into(), |ms| format!("{ms} ms"));
            task(format!(
                "heard {received} packets, {lost} were lost; round trip {round_trip}; quality (MOS) {} up, {} down",
                opinion(mos_up),
                opinion(mos_down)
            ))
        }
        JournalEvent::Connect { .. }
        | JournalEvent::NotOurs { .. }
        | JournalEvent::Stale { .. }
        | JournalEvent::WebhookRefused { .. }
        | JournalEvent::Forgotten { .. }
        | JournalEvent::Over { .. }
        | JournalEvent::MediaAtMeta { .. }
        | JournalEvent::PermissionReply { .. }
        | JournalEvent::Notice { .. }
        | JournalEvent::PreAccepted { .. }
        | JournalEvent::MediaConnected { .. }
        | JournalEvent::Accepted { .. }
        | JournalEvent::FirstWord { .. }
        | JournalEvent::Turn { .. }
        | JournalEvent::Usage { .. }
        | JournalEvent::Other(_) => None,
    }
}

fn short(id: &TaskId) -> &str {
    let id = id.as_str();
    id.get(..8).unwrap_or(id)
}

fn text(clip: &str) -> String {
    let known = super::conversation::callers_part().into_iter().find(|known| known.name == clip);
    known.map_or(clip.to_owned(), |clip| format!("“{}”", clip.text))
}
