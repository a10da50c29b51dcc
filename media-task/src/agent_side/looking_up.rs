//! Follows the business's lookup: another agent may answer the call, and the one that does knows what the business knows.

use super::accounts::Accounts;
use super::tool_uses::ToolUses;
use super::{AgentSide, CallerSide, ms};
use crate::caller_lookup::{LookupStep, Settled, Wish};
use internal_api::order::{Order, Rejection};
use journal::JournalEvent;
use std::time::Instant;

impl AgentSide {
    /// Takes the steps that the lookup has come to.
    pub(crate) fn continue_lookup(&mut self, caller: &mut impl CallerSide, now: Instant) {
        self.lookup.handle_timeout(now);
        while let Some(step) = self.lookup.poll_step() {
            match step {
                LookupStep::Note { outcome, took, status } => self.record.note(JournalEvent::Lookup {
                    took_ms: ms(took),
                    outcome: outcome.as_str().to_owned(),
                    status: status.map(u64::from),
                }),
                LookupStep::NoteUndecided => self.record.note(JournalEvent::LookupRefused {
                    reason: "call-control did not decide in time".to_owned(),
                }),
                LookupStep::Ask(wish) => self.lookup.ask(&self.control, self.looked_up(wish)),
                LookupStep::Answer(settled) => self.answer_with(settled, caller, now),
                LookupStep::End => self.closing.note_reported(),
            }
        }
    }

    fn looked_up(&self, wish: Wish) -> Order {
        let Wish { agent, language, rejection } = wish;
        let (call_ref, token) = (self.call.call_ref.clone(), self.call.token.clone());
        let reject = rejection.map(|message| Rejection { message });
        Order::CallerLookedUp { call_ref, fence: self.call.fence, token, agent, language, reject }
    }

    /// Has the agent know what the lookup returned: before its session is configured if the call has waited for it, else from now on.
    fn answer_with(&mut self, settled: Settled, caller: &mut impl CallerSide, now: Instant) {
        let Settled { variables, agent, language } = settled;
        let model = self.agent.model_name();
        let other = agent.filter(|_| self.lookup.waits()).filter(|file| self.replace_agent(file));
        if let Some(language) = language {
            self.agent.speak(language);
        }
        self.agent.tell(variables);
        self.loaded = self.agent.loaded().clone();
        if other.is_some() {
            self.begin_anew(caller);
        }
        let config = self.agent.config();
        if self.agent.model_name() != model {
            self.model = self.agent.connect(false, now);
            self.has_other_model = true;
        } else if self.lookup.waits() {
            self.model.release(config, now);
        } else {
            self.model.set_instructions(config.instructions, now);
        }
    }

    /// Replaces the agent by that of another file, and returns whether it could be read.
    fn replace_agent(&mut self, file: &str) -> bool {
        let replaced = self.agent.replace(file);
        if let Err(error) = &replaced {
            let call_ref = &self.call.call_ref;
            tracing::error!(%call_ref, "the agent that the lookup chose cannot be read, the call's own answers: {error}");
        }
        replaced.is_ok()
    }

    /// Begins again what depends on the agent: nothing was said or used so far.
    fn begin_anew(&mut self, caller: &mut impl CallerSide) {
        let (agent, model) = (self.loaded.clone(), self.agent.model_name());
        self.record.adopt(&agent, &model);
        caller.adopt(agent.limits(), agent.turns(), agent.keypad());
        self.tools = ToolUses::new(self.call.clone(), &agent, self.services.clone());
        self.accounts = Accounts::new(self.call.clone(), agent, model, self.services.store.clone());
    }
}
