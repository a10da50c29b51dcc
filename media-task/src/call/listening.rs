//! What the agent does, and what comes of it.

use super::{Over, Owner, ms};
use crate::agent::News;
use bridge::Agent as Doing;
use call::Ending;
use journal::Event;
use realtime::{Part, Purpose, Then};
use service::time::now_ms;
use std::time::Instant;

impl Owner {
    /// Takes everything the agent did since.
    pub(super) fn listen(&mut self, now: Instant) {
        while let Some(news) = self.parts.agent.poll_news() {
            self.hear_of(news, now);
        }
    }

    fn hear_of(&mut self, news: News, now: Instant) {
        match news {
            News::Ready => {
                self.answering.note_ready();
                self.note(Event::AgentReady { took_ms: ms(now - self.offered_at) });
            }
            News::Doing(doing) => self.watch(doing, now),
            News::BeginsWhatWasAsked(response) => self.note_farewell_began(response),
            News::CallerBegan(item) => self.minutes.caller_began(&item.0, now_ms()),
            News::CallerSaid(item, text) => self.minutes.caller_said(&item.0, &text, now_ms()),
            News::CallerWasSilent(item) => self.minutes.caller_was_silent(&item.0, now_ms()),
            News::NotWritten(item, code) => self.note_unwritten(&item.0, code),
            News::AgentSaid(item, text, audio) => {
                self.minutes.agent_said(&item.0, &text, audio, now_ms());
            }
            News::Uses { call_id, tool, arguments } => self.use_tool(call_id, tool, &arguments, now),
            News::UsesHosted => self.wait_for_hosted(now),
            News::HostedEnded(tool, took, outcome) => self.note_hosted(tool, took, outcome, now),
            News::ToolsMissing(server) => self.note(Event::ToolsMissing { server }),
            News::Lacked { purpose, status, reason, then } => {
                self.note_lacked(purpose, then, now);
                let (purpose, then) = (purpose.as_str().to_owned(), then.as_str().to_owned());
                self.note(Event::ResponseLacking { purpose, status, reason, then });
            }
            News::Used(usage) => self.usage += usage,
            News::Lost(reason) => {
                self.note(Event::SessionLost { reason });
                self.answering.note_unready();
                self.bridge.handle_agent(Doing::Replaced, now);
            }
            News::Restored(took, planned) => {
                self.summary.sessions_replaced += 1;
                self.bridge.handle_agent(Doing::Restored, now);
                self.answering.note_ready();
                self.note(Event::SessionRestored { took_ms: ms(took), planned });
            }
            News::DoesWithout(part, code) => self.do_without(part, code),
            News::Troubled(code) => self.note(Event::AgentTrouble { code }),
            News::Failed { code, cure } => self.lose_agent(code, cure, now),
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
            self.note(Event::TranscriptionFailed { model, code });
        }
    }

    /// The session has no such part; the agent's next calls do not ask for it.
    fn do_without(&mut self, part: Part, code: String) {
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
        self.note(Event::PartRefused { part: part.name().to_owned(), code });
    }

    fn watch(&mut self, doing: Doing, now: Instant) {
        match &doing {
            Doing::Said { response, item, .. } => {
                self.minutes.agent_began(&item.0, now_ms());
                self.note_farewell_sounds(response);
                self.has_said_something = true;
            }
            Doing::Began { .. } => self.forget_tools_of_responses(),
            Doing::HearsCaller => self.has_said_something = false,
            Doing::Ended { .. }
            | Doing::Finished { .. }
            | Doing::HearsCallerStop
            | Doing::SaidNothing { .. }
            | Doing::Replaced
            | Doing::Restored => {}
        }
        let ended = if let Doing::Ended { response } = &doing { Some(response.clone()) } else { None };
        self.bridge.handle_agent(doing, now);
        if let Some(response) = ended {
            self.note_farewell_said(&response, now);
            self.end_call_if_asked(now);
        }
    }

    /// What the agent did brought nothing: a greeting is waited for longer, and a goodbye no more.
    fn note_lacked(&mut self, purpose: Purpose, then: Then, now: Instant) {
        match (purpose, then) {
            (Purpose::Greeting, Then::AskedAgain | Then::AnotherSession) => {
                self.answering.note_empty_greeting(now);
            }
            (_, Then::Done) => self.note_farewell_mute(purpose, now),
            (Purpose::Greeting | Purpose::Answer | Purpose::Asked, _) => {}
        }
    }

    /// The caller who is on the line is told so before the call ends; one who still hears it ring is refused.
    fn lose_agent(&mut self, code: String, cure: String, now: Instant) {
        self.note(Event::AgentFailed { code, cure });
        if self.bridge.is_open() && self.has_said_goodbye() {
            // The caller hears it to its end, and needs no apology.
        } else if self.bridge.is_open() {
            self.apologise(now);
        } else {
            self.over.get_or_insert(Over::Because(Ending::AgentUnavailable));
        }
    }
}
