//! What the agent does, and what comes of it.

use super::{CallSession, SessionEnd, ms};
use crate::model::AgentEvent;
use audio::AgentEvent as Doing;
use call::Ending;
use journal::JournalEvent;
use realtime::{EmptyResponseAction, OptionalPart, Purpose};
use service::time::now_ms;
use std::time::Instant;

impl CallSession {
    /// Takes everything the agent did since.
    pub(super) fn listen(&mut self, now: Instant) {
        while let Some(news) = self.parts.agent.poll_news() {
            self.hear_of(news, now);
        }
    }

    fn hear_of(&mut self, news: AgentEvent, now: Instant) {
        match news {
            AgentEvent::Ready => {
                self.answering.note_ready();
                self.note(JournalEvent::AgentReady { took_ms: ms(now - self.offered_at) });
            }
            AgentEvent::Doing(doing) => self.watch(doing, now),
            AgentEvent::BeginsWhatWasAsked(response) => self.note_farewell_began(response),
            AgentEvent::CallerBegan(item) => self.minutes.caller_began(&item.0, now_ms()),
            AgentEvent::CallerSaid(item, text) => self.minutes.caller_said(&item.0, &text, now_ms()),
            AgentEvent::CallerWasSilent(item) => self.minutes.caller_was_silent(&item.0, now_ms()),
            AgentEvent::NotWritten(item, code) => self.note_unwritten(&item.0, code),
            AgentEvent::AgentSaid(item, text, audio) => {
                self.minutes.agent_said(&item.0, &text, audio, now_ms());
            }
            AgentEvent::Uses { call_id, tool, arguments } => self.use_tool(call_id, tool, &arguments, now),
            AgentEvent::UsesHosted => self.wait_for_hosted(now),
            AgentEvent::HostedEnded(tool, took, outcome) => self.note_hosted(tool, took, outcome, now),
            AgentEvent::ToolsMissing(server) => self.note(JournalEvent::ToolsMissing { server }),
            AgentEvent::Lacked { purpose, status, reason, then } => {
                self.note_lacked(purpose, then, now);
                let (purpose, then) = (purpose.as_str().to_owned(), then.as_str().to_owned());
                self.note(JournalEvent::ResponseLacking { purpose, status, reason, then });
            }
            AgentEvent::Used(usage) => self.usage += usage,
            AgentEvent::Lost(reason) => {
                self.note(JournalEvent::SessionLost { reason });
                self.answering.note_unready();
                self.bridge.handle_agent(Doing::SessionReplaced, now);
            }
            AgentEvent::Restored(took, planned) => {
                self.summary.sessions_replaced += 1;
                self.bridge.handle_agent(Doing::SessionReady, now);
                self.answering.note_ready();
                self.note(JournalEvent::SessionRestored { took_ms: ms(took), planned });
            }
            AgentEvent::DoesWithout(part, code) => self.do_without(part, code),
            AgentEvent::Troubled(code) => self.note(JournalEvent::AgentTrouble { code }),
            AgentEvent::Failed { code, cure } => self.lose_agent(code, cure, now),
        }
        self.write_lines();
    }

    /// A turn of the caller's that will have no words. The journal says so once: it is mostly every turn.
    fn note_unwritten(&mut self, item: &str, code: String) {
        self.minutes.caller_not_written(item);
        if !std::mem::replace(&mut self.transcription_has_failed, true) {
            let role = &self.parts.role;
            let model =
                role.agent.model.transcription.as_ref().map(|it| it.model.clone()).unwrap_or_default();
            self.note(JournalEvent::TranscriptionFailed { model, code });
        }
    }

    /// The session has no such part; the agent's next calls do not ask for it.
    fn do_without(&mut self, part: OptionalPart, code: String) {
        let role = &self.parts.role;
        let (agent, model) = (&role.agent.name, &self.parts.model);
        tracing::warn!(
            call_ref = self.parts.call_ref,
            agent,
            model,
            code,
            "OpenAI refuses the part {part} of {agent}'s sessions: they go on without it"
        );
        role.do_without(part);
        // Another call of the agent's may have found it out meanwhile.
        if !self.summary.without.iter().any(|known| known == part.name()) {
            self.summary.without.push(part.name().to_owned());
        }
        self.note(JournalEvent::PartRefused { part: part.name().to_owned(), code });
    }

    fn watch(&mut self, doing: Doing, now: Instant) {
        match &doing {
            Doing::Audio { response, item, .. } => {
                self.minutes.agent_began(&item.0, now_ms());
                self.note_farewell_sounds(response);
                self.has_said_something = true;
            }
            Doing::ResponseStarted { .. } => self.forget_tools_of_responses(),
            Doing::SpeechStarted => self.has_said_something = false,
            Doing::ResponseDone { .. }
            | Doing::ItemDone { .. }
            | Doing::SpeechStopped
            | Doing::ResponseEmpty { .. }
            | Doing::SessionReplaced
            | Doing::SessionReady => {}
        }
        let ended = if let Doing::ResponseDone { response } = &doing { Some(response.clone()) } else { None };
        self.bridge.handle_agent(doing, now);
        if let Some(response) = ended {
            self.note_farewell_said(&response, now);
            self.end_call_if_asked(now);
        }
    }

    /// What the agent did brought nothing: a greeting is waited for longer, and a goodbye no more.
    fn note_lacked(&mut self, purpose: Purpose, then: EmptyResponseAction, now: Instant) {
        match (purpose, then) {
            (Purpose::Greeting, EmptyResponseAction::AskedAgain | EmptyResponseAction::AnotherSession) => {
                self.answering.note_empty_greeting(now);
            }
            (_, EmptyResponseAction::Done) => self.note_farewell_mute(purpose, now),
            (Purpose::Greeting | Purpose::Answer | Purpose::Asked, _) => {}
        }
    }

    /// The caller who is on the line is told so before the call ends; one who still hears it ring is refused.
    fn lose_agent(&mut self, code: String, cure: String, now: Instant) {
        self.note(JournalEvent::AgentFailed { code, cure });
        if self.bridge.is_open() && self.has_said_goodbye() {
            // The caller hears it to its end, and needs no apology.
        } else if self.bridge.is_open() {
            self.apologise(now);
        } else {
            self.over.get_or_insert(SessionEnd::Because(Ending::AgentUnavailable));
        }
    }
}
