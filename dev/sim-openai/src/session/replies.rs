//! The model's replies: asked for by the client or owed to a turn, chosen from the script, cancelled by either side.

use super::Session;
use crate::format::Format;
use crate::injected_fault::InjectedFault;
use crate::limits::{check_metadata, check_modalities, check_reasoning, check_tools};
use crate::plan::{Delivery, Step, plan};
use crate::refusal::Refusal;
use crate::response::{End, Response, Terms};
use crate::usage::Tokens;
use crate::{Cut, ObservationKind, Reply};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const SERVER_ERROR: End = End::Failed {
    kind: "server_error",
    code: "server_error",
    message: "The server had an error while processing your request. Sorry about that!",
};
const RATE_LIMITED: End = End::Failed {
    kind: "invalid_request_error",
    code: "rate_limit_exceeded",
    message: "Rate limit reached. Please try again in 600ms.",
};
/// How long the message of a rate limit says to wait.
const RESET_SECONDS: f64 = 0.6;

/// From the end of a response to `rate_limits.updated`.
const LIMITS_AFTER: Duration = Duration::from_millis(43);

impl Session {
    pub(super) fn create_response(&mut self, asked: &Value) -> Result<(), Refusal> {
        self.check_response(asked)?;
        if !self.configured {
            self.note_violation("response.create before session.updated");
        }
        if !self.remote_calls.is_empty() && asked["conversation"] != "none" {
            self.note_violation("a response is asked for while the tool of a remote server works");
        }
        self.judge_request(asked);
        if self.ignores_request() {
            return Ok(());
        }
        self.respond(asked);
        Ok(())
    }

    /// A turn of the caller asks for a response. What the service does when one is still active is not documented;
    /// this is the stricter guess.
    pub(super) fn answer(&mut self) {
        match self.active() {
            Some(active) => self.refuse(&already_active(&active.id), None),
            None => self.respond(&Value::Null),
        }
    }

    pub(super) fn cancel_response(&mut self, id: Option<&str>) -> Result<(), Refusal> {
        let wanted = |response: &Response| id.map_or(response.is_default(), |id| response.id == id);
        let Some(index) = self.responses.iter().position(wanted) else {
            let message = "Cancellation failed: no active response found";
            return Err(Refusal::new("response_cancel_not_active", message));
        };
        self.end(index, &End::ClientCancelled);
        Ok(())
    }

    /// The caller speaks: the response of the conversation stops.
    pub(super) fn interrupt(&mut self) {
        let unheard = self.stop_playing();
        if let Some(index) = self.responses.iter().position(Response::is_default) {
            self.end(index, &End::TurnDetected);
        }
        self.send_cleared(unheard);
    }

    /// Begins a response, with what was asked for in place of the session's settings.
    pub(super) fn respond(&mut self, asked: &Value) {
        let terms = self.terms(asked);
        let chosen = self.choose(asked);
        let reply = self.spoil_reply(chosen, asked);
        let end = reply.cut.map_or(End::Completed, End::Incomplete);
        let steps = self.steps(&reply, &terms);
        let input = self.input_tokens(asked);
        let mut response = Response::new(self.new_id("resp"), terms, input, reply, steps);
        response.end = end;
        self.spoil(&mut response);
        (self.idle, self.played) = (None, None);
        self.is_fresh = false;
        self.responses_begun += 1;
        self.send(response.created());
        self.observe(ObservationKind::ResponseStarted { response: response.id.clone() });
        self.responses.push(response);
    }

    fn check_response(&self, asked: &Value) -> Result<(), Refusal> {
        if let (Some(active), false) = (self.active(), asked["conversation"] == "none") {
            return Err(already_active(&active.id));
        }
        let voice = &asked["audio"]["output"]["voice"];
        if !voice.is_null()
            && !self.report.spoken.is_empty()
            && *voice != self.settings.json()["audio"]["output"]["voice"]
        {
            let message = "Cannot update a conversation's voice if assistant audio is present.";
            return Err(Refusal::new("cannot_update_voice", message).about("response.audio.output.voice"));
        }
        check_modalities(&asked["output_modalities"], "response.output_modalities")?;
        check_reasoning(self.settings.model(), asked, "response")?;
        check_tools(&asked["tools"], "response")?;
        check_metadata(&asked["metadata"])?;
        self.check_references(&asked["input"])
    }

    fn check_references(&self, input: &Value) -> Result<(), Refusal> {
        let items = input.as_array().into_iter().flatten();
        let mut references =
            items.filter(|item| item["type"] == "item_reference").filter_map(|item| item["id"].as_str());
        match references.find(|id| self.conversation.get(id).is_none()) {
            Some(id) => {
                Err(Refusal::value("response.input", format!("Item '{id}' is not in the conversation.")))
            }
            None => Ok(()),
        }
    }

    fn terms(&self, asked: &Value) -> Terms {
        let session = self.settings.json();
        let either =
            |asked: &Value, session: &Value| if asked.is_null() { session.clone() } else { asked.clone() };
        let (wanted, usual) = (&asked["audio"]["output"], &session["audio"]["output"]);
        Terms {
            conversation_id: (asked["conversation"] != "none").then(|| self.conversation_id.clone()),
            format: Format::of(&either(&wanted["format"], &usual["format"])),
            voice: voice_name(&either(&wanted["voice"], &usual["voice"])),
            modalities: either(&asked["output_modalities"], &session["output_modalities"]),
            max_output_tokens: either(&asked["max_output_tokens"], &session["max_output_tokens"]),
            has_own_instructions: asked["instructions"]
                .as_str()
                .is_some_and(|own| own != self.settings.instructions()),
            metadata: asked["metadata"].clone(),
        }
    }

    fn steps(&mut self, reply: &Reply, terms: &Terms) -> VecDeque<(Instant, Step)> {
        let delivery = Delivery {
            thinking: self.config.thinking,
            pace: self.config.pace,
            sound: (terms.modalities != json!(["text"])).then_some(terms.format),
            splits_samples: self.fault == Some(InjectedFault::SplitsSamples),
        };
        let steps = plan(reply, delivery, &mut self.rng);
        steps.into_iter().map(|(after, step)| (self.now + after, step)).collect()
    }

    fn input_tokens(&self, asked: &Value) -> Tokens {
        let instructions = asked["instructions"].as_str().unwrap_or(self.settings.instructions());
        let tools = Tokens::text(&self.settings.json()["tools"].to_string());
        Tokens::text(instructions) + tools + self.conversation.tokens()
    }

    /// Lets the session's first responses fail, if that is the injected fault.
    fn spoil(&self, response: &mut Response) {
        let (end, times) = match self.fault {
            Some(InjectedFault::ServerError) => (SERVER_ERROR, 1),
            Some(InjectedFault::RateLimited) => (RATE_LIMITED, 1),
            Some(InjectedFault::RateLimitedThrice) => (RATE_LIMITED, 3),
            _ => return,
        };
        if self.responses_begun < times {
            response.end = end;
            response.steps = [(self.now + self.config.thinking, Step::Finish)].into();
        }
    }

    /// Leaves nothing to hear of a reply, if that is the injected fault.
    fn spoil_reply(&mut self, reply: Reply, asked: &Value) -> Reply {
        match self.fault {
            Some(InjectedFault::Writes { responses }) if self.responses_begun < responses => reply.written(),
            Some(InjectedFault::SaysNothing { responses }) if self.responses_begun < responses => {
                Reply::nothing()
            }
            Some(InjectedFault::Mute) => Reply::nothing(),
            Some(InjectedFault::MuteAsides) if self.aside_for(asked).is_some() => reply.written(),
            Some(InjectedFault::Filters) if self.responses_begun == 0 => {
                Reply::nothing().cut_short(Cut::ContentFilter)
            }
            Some(InjectedFault::CutsCalls) if reply.has_calls() && !self.has_cut => {
                self.has_cut = true;
                reply.cut_short(Cut::MaxOutputTokens)
            }
            _ => reply,
        }
    }

    /// What is left of the limits, shortly after a response.
    pub(super) fn send_limits(&mut self, response: &Response, end: &End) {
        let limits = if *end == RATE_LIMITED { no_room_left() } else { rate_limits(response.input) };
        self.later.push((self.now + LIMITS_AFTER, limits));
    }

    /// Loses the first request after the greeting, if that is the injected fault.
    fn ignores_request(&mut self) -> bool {
        let ignores = self.fault == Some(InjectedFault::IgnoresCreate) && self.responses_begun > 0;
        ignores && !std::mem::replace(&mut self.has_ignored, true)
    }

    pub(super) fn is_answering(&self) -> bool {
        self.active().is_some()
    }

    fn active(&self) -> Option<&Response> {
        self.responses.iter().find(|response| response.is_default())
    }
}

fn already_active(id: &str) -> Refusal {
    let message = format!(
        "Conversation already has an active response in progress: {id}. \
         Wait until the response is finished before creating a new one."
    );
    Refusal::new("conversation_already_has_active_response", message)
}

/// A response shows a custom voice by its id.
fn voice_name(voice: &Value) -> Value {
    voice.get("id").unwrap_or(voice).clone()
}

/// The room a young account has.
fn rate_limits(input: Tokens) -> Value {
    const LIMIT: u64 = 40_000;
    let used = (input.text + input.audio).min(LIMIT);
    let remaining = LIMIT - used;
    let reset_seconds = used as f64 * 60.0 / LIMIT as f64;
    json!({"type": "rate_limits.updated", "rate_limits": [
        {"name": "tokens", "limit": LIMIT, "remaining": remaining, "reset_seconds": reset_seconds},
    ]})
}

/// All tokens of the minute are spent.
fn no_room_left() -> Value {
    json!({"type": "rate_limits.updated", "rate_limits": [
        {"name": "tokens", "limit": 40_000, "remaining": 0, "reset_seconds": RESET_SECONDS},
    ]})
}
