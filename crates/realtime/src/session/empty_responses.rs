//! Responses that lack what the caller waits for. One that brings neither a sound nor a whole call of a tool is asked for
//! once more, then of another session, and then the agent is given up. One that ends in the middle of a sentence is gone on
//! with, once.

use super::{Session, SessionEvent};
use crate::Failure;
use crate::link::Produced;
use crate::response_queue::ResponseRequest;
use crate::server_event::Response;
use std::time::Instant;

/// Told to a model whose sentence was cut by a limit of the service.
pub(super) const GO_ON: &str = "You were cut off in the middle of your last sentence. Go on from there, and do not repeat what you have said.";

/// What a response was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To greet.
    Greeting,
    /// To answer the caller, keys, or a tool.
    Answer,
    /// To say what [`Session::ask`] asked for.
    Asked,
}

/// What is done about a response that lacks something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyResponseAction {
    /// It brought nothing, and is asked for once more.
    AskedAgain,
    /// It brought nothing again, and is asked of another session.
    AnotherSession,
    /// It brought nothing in another session either: the conversation has [failed](Happening::Failed).
    GaveUp,
    /// It ended in the middle of a sentence, which is gone on with.
    GoneOn,
    /// It ended in the middle of a sentence, and had been gone on with before.
    Left,
    /// It brought nothing, and need not: goodbye was said, or is too mute to be said.
    Done,
}

/// What a session lacked so far.
#[derive(Debug, Default)]
pub(super) struct EmptyResponses {
    /// Responses that brought nothing, one after the other.
    nothings: u32,
    /// The last response went on with the one before.
    has_gone_on: bool,
    /// Goodbyes that brought nothing, once the call is about to end.
    mute_goodbyes: Option<u32>,
}

/// What a response brought.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResponseContent {
    pub has_sound: bool,
    pub has_called: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EmptyResponse {
    Everything,
    Rest,
}

impl Purpose {
    /// As a word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Answer => "answer",
            Self::Asked => "asked",
        }
    }
}

impl EmptyResponseAction {
    /// As a word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AskedAgain => "asked_again",
            Self::AnotherSession => "another_session",
            Self::GaveUp => "gave_up",
            Self::GoneOn => "gone_on",
            Self::Left => "left",
            Self::Done => "done",
        }
    }
}

impl From<&ResponseRequest> for Purpose {
    fn from(wish: &ResponseRequest) -> Self {
        match wish {
            ResponseRequest::Greeting => Self::Greeting,
            ResponseRequest::Answer => Self::Answer,
            ResponseRequest::Ask { .. } => Self::Asked,
        }
    }
}

impl EmptyResponses {
    /// The caller speaks: what they are answered is nothing that is gone on with.
    pub(super) fn caller_started(&mut self) {
        self.has_gone_on = false;
    }

    /// What is to be done about a response that brought nothing.
    fn count(&mut self, purpose: Purpose) -> EmptyResponseAction {
        match (&mut self.mute_goodbyes, purpose) {
            (Some(mute), Purpose::Asked) => {
                *mute += 1;
                if *mute == 1 { EmptyResponseAction::AskedAgain } else { EmptyResponseAction::Done }
            }
            (Some(_), Purpose::Greeting | Purpose::Answer) => EmptyResponseAction::Done,
            (None, _) => {
                self.nothings += 1;
                match self.nothings {
                    1 => EmptyResponseAction::AskedAgain,
                    2 => EmptyResponseAction::AnotherSession,
                    _ => EmptyResponseAction::GaveUp,
                }
            }
        }
    }
}

impl ResponseContent {
    /// Whether it brought neither sound nor a call, of ours or of a hosted tool.
    pub(super) fn is_nothing(self) -> bool {
        !self.has_sound && !self.has_called
    }

    fn lack(self, status: &str) -> Option<EmptyResponse> {
        match self {
            Self { has_sound: false, has_called: false } => Some(EmptyResponse::Everything),
            Self { has_sound: true, has_called: false } if status == "incomplete" => {
                Some(EmptyResponse::Rest)
            }
            Self { .. } => None,
        }
    }
}

impl Session {
    /// Whether the call is about to end: goodbye was said, or is asked for. A response that brings nothing is then the end
    /// of it; a goodbye is asked for once more.
    pub fn set_leaving(&mut self, leaving: bool) {
        self.lacks.mute_goodbyes = leaving.then(|| self.lacks.mute_goodbyes.unwrap_or_default());
    }

    /// Whether any sound of a response came that can be heard.
    pub(super) fn has_sound(&self, response: &str) -> bool {
        self.link.items.values().any(|item| item.response == response && item.is_audible)
    }

    /// Weighs what a response brought that was for `wish`. Whether it is made up for what it lacks.
    pub(super) fn weigh(
        &mut self,
        response: &Response,
        brought: ResponseContent,
        wish: &ResponseRequest,
        produced: Vec<Produced>,
        now: Instant,
    ) -> bool {
        match brought.lack(&response.status) {
            None => false,
            Some(EmptyResponse::Everything) => {
                self.ask_anew(response, wish, produced, now);
                true
            }
            Some(EmptyResponse::Rest) => {
                self.go_on_with(response, wish, produced);
                true
            }
        }
    }

    /// A response brought something, so that those before it are forgiven.
    pub(super) fn note_brought(&mut self, brought: ResponseContent, status: &str) {
        if brought.has_sound || brought.has_called {
            self.lacks.nothings = 0;
        }
        if status == "completed" {
            self.lacks.has_gone_on = false;
        }
    }

    fn ask_anew(
        &mut self,
        response: &Response,
        wish: &ResponseRequest,
        produced: Vec<Produced>,
        now: Instant,
    ) {
        let then = self.lacks.count(wish.into());
        self.tell_lack(response, wish, then);
        produced.iter().for_each(|produced| self.take_out(&produced.item));
        match then {
            EmptyResponseAction::AskedAgain => self.link.gate.wish_again(wish.clone()),
            EmptyResponseAction::AnotherSession => {
                self.link.gate.wish_again(wish.clone());
                self.lose("no_sound", now);
            }
            EmptyResponseAction::GaveUp => {
                let cure = "the model answered three times without a sound: see status.openai.com, and \
                            max_output_tokens in the agent file";
                self.fail(Failure { cure: cure.to_owned(), ..Failure::of("no_sound") }, now);
            }
            EmptyResponseAction::Done | EmptyResponseAction::GoneOn | EmptyResponseAction::Left => {}
        }
    }

    fn go_on_with(&mut self, response: &Response, wish: &ResponseRequest, produced: Vec<Produced>) {
        let goes_on = !std::mem::replace(&mut self.lacks.has_gone_on, true);
        self.tell_lack(
            response,
            wish,
            if goes_on { EmptyResponseAction::GoneOn } else { EmptyResponseAction::Left },
        );
        // Half a call has no output, and must not wait for one.
        let half_calls = produced.iter().filter(|produced| produced.is_call);
        half_calls.for_each(|call| self.take_out(&call.item));
        if *wish == ResponseRequest::Greeting {
            self.greeted.ended();
        }
        if !goes_on {
            return;
        }
        match wish {
            ResponseRequest::Ask { insists, .. } => {
                self.link
                    .gate
                    .wish_again(ResponseRequest::Ask { words: GO_ON.to_owned(), insists: *insists });
            }
            ResponseRequest::Answer | ResponseRequest::Greeting => {
                // A caller who speaks during the response is answered, and the sentence is dropped.
                self.link.goes_on = self.link.gate.is_callers_turn_over();
                self.link.gate.wish(ResponseRequest::Answer);
            }
        }
    }

    /// Takes out the items of a response whose sound was all silence: the caller did not hear their words.
    pub(super) fn take_out_silent(&mut self, response: &str, produced: &mut Vec<Produced>) {
        let items = self.link.items.iter();
        let silent = items.filter(|(_, item)| item.response == response && !item.held.is_empty());
        for item in silent.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.take_out(&item);
            produced.retain(|produced| produced.item != item);
        }
    }

    /// Takes an item of the agent's out of the conversation, as if it had never been.
    fn take_out(&mut self, item: &str) {
        self.mirror.forget(item);
        self.link.items.remove(item);
        self.delete(item);
    }

    fn tell_lack(&mut self, response: &Response, wish: &ResponseRequest, then: EmptyResponseAction) {
        self.happen(SessionEvent::Lacked {
            response: response.id.clone(),
            purpose: wish.into(),
            status: response.status.clone(),
            reason: response.reason().map(str::to_owned),
            then,
        });
    }
}
