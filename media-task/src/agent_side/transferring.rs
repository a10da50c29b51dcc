//! Transfers the call as the agent asked: after its words, by call-control, and with the model told if nothing comes of it.

use super::tool_uses::{ToolUsed, built_in_outcome};
use super::transfer::{TransferRequest, TransferStep};
use super::{AgentSide, CallerSide};
use agents::AfterEvent;
use call::Ending;
use journal::JournalEvent;
use service::time::now_ms;
use std::time::Instant;
use tools::{Refused, ToolError, ToolOutcome, ToolOutcomeKind, ToolUse};

/// The output of a transfer that the caller knows nothing of.
const NOT_ANNOUNCED: &str = "Not yet: the caller was not connected, since they have heard nothing from you. Say in one short sentence that \
                             you connect them, and use this tool again in the same turn.";

/// The output of a transfer that the caller has spoken into.
const SPOKEN_INTO: &str = "Not yet: the caller was not connected, since they said something meanwhile. Answer it. If they still want to \
                           be connected, say so again in one short sentence, and use this tool again in the same turn.";

/// The output of a second transfer.
const USED: &str = "Not done: it works once in a call, and was used. Do not try again. Tell the caller so if they still wait for it, and \
                    offer another way, such as taking a message.";

impl AgentSide {
    /// Begins a transfer, which is asked for once the caller has heard of it, or refuses a second one.
    pub(super) fn begin_transfer(
        &mut self,
        request: TransferRequest,
        caller: &mut impl CallerSide,
        now: Instant,
    ) {
        if self.transfer.is_available() {
            return self.transfer.begin(request);
        }
        let used = Refused { trouble: ToolError::CallBudget, for_the_model: USED.to_owned() };
        self.answer_transfer(request, used.into(), caller, now);
    }

    /// Notes that a response has ended: the transfer that it called for waits until it was played.
    pub(super) fn note_transfer_announced(&mut self, caller: &mut impl CallerSide, now: Instant) {
        let was_announced = self.closing.has_agent_spoken();
        if let Some(request) = self.transfer.note_response_done(was_announced, now) {
            self.answer_transfer(request, not_yet(NOT_ANNOUNCED), caller, now);
        }
    }

    /// Gives up a transfer that was not asked for yet: the caller has something to say.
    pub(crate) fn withdraw_transfer(&mut self, caller: &mut impl CallerSide, now: Instant) {
        if let Some(request) = self.transfer.withdraw() {
            self.answer_transfer(request, not_yet(SPOKEN_INTO), caller, now);
        }
    }

    /// Asks for the transfer once it is due, and tells the model if nothing has come of it.
    pub(crate) fn continue_transfer(&mut self, caller: &mut impl CallerSide, now: Instant) {
        if self.closing.is_leaving() {
            return self.drop_transfer(caller, now);
        }
        match self.transfer.step(caller.is_playing(), now) {
            TransferStep::Wait => {}
            TransferStep::Ask(TransferRequest { call_id, tool, began }) => {
                self.tools.business().tell(AfterEvent::PersonWanted, now_ms());
                self.tools.start(ToolUse::TransferCall, call_id, tool, self.record.caller_request(), began);
            }
            TransferStep::Failed(request) => {
                tracing::warn!(
                    call_ref = %self.call.call_ref,
                    "transfer failed: OpenAI took it, and the call is still on"
                );
                let failed = built_in_outcome(&ToolUse::TransferCall, ToolOutcomeKind::Failed);
                self.answer_transfer(request, failed, caller, now);
            }
        }
    }

    /// Gives up a transfer that was not asked for yet: the call is about to end.
    fn drop_transfer(&mut self, caller: &mut impl CallerSide, now: Instant) {
        if let Some(request) = self.transfer.withdraw() {
            let failed = built_in_outcome(&ToolUse::TransferCall, ToolOutcomeKind::Failed);
            self.answer_transfer(request, failed, caller, now);
        }
    }

    /// Notes the end of a tool call, and returns whether it is a transfer whose result is still to come.
    pub(super) fn is_transfer_watched(&mut self, used: &ToolUsed, now: Instant) -> bool {
        self.transfer.note_reply(&used.call_id, used.outcome.kind == ToolOutcomeKind::Done, now)
    }

    /// Notes that the call is over at the line's service, and returns whether its transfer is the reason: then it ends so.
    pub(crate) fn end_transferred(&mut self, caller: &mut impl CallerSide, now: Instant) -> bool {
        let Some(request) = self.transfer.note_call_gone() else { return false };
        let done = built_in_outcome(&ToolUse::TransferCall, ToolOutcomeKind::Done);
        self.answer_transfer(request, done, caller, now);
        let transfer = self.loaded.file.tools.transfer.as_ref();
        let target_kind = transfer.map_or("", |transfer| transfer.target.kind()).to_owned();
        self.record.note(JournalEvent::Transferred { target_kind });
        self.closing.end(Ending::Transferred);
        true
    }

    fn answer_transfer(
        &mut self,
        TransferRequest { call_id, tool, began }: TransferRequest,
        outcome: ToolOutcome,
        caller: &mut impl CallerSide,
        now: Instant,
    ) {
        let wants_response = outcome.kind != ToolOutcomeKind::Done && !self.closing.is_leaving();
        self.answer_tool(ToolUsed { call_id, tool, began, wants_response, outcome }, caller, now);
    }
}

fn not_yet(for_the_model: &str) -> ToolOutcome {
    ToolOutcome { kind: ToolOutcomeKind::Refused, trouble: None, for_the_model: for_the_model.to_owned() }
}
