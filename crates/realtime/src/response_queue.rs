//! The response gate: only one response at a time writes to the conversation, so the next waits for the end of the last;
//! and a wish that the answer to the caller's turn fulfils is not asked for a second time.

mod timeouts;

use crate::server_event::Response;
use std::time::{Duration, Instant};

/// So long a response may take to begin: after it was asked for, or after the caller's turn.
pub(crate) const BEGINS_WITHIN: Duration = Duration::from_secs(10);

/// So long an ongoing response may show no sign of life.
pub(crate) const SILENT: Duration = Duration::from_secs(8);

/// The same before its first, if the model was told to think hard.
pub(crate) const THINKS: Duration = Duration::from_secs(40);

/// So long the server has to answer, by itself, a turn that ended during a response nobody could interrupt.
const ANSWERS_LATE_WITHIN: Duration = Duration::from_millis(500);

/// What somebody wants to have said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ResponseRequest {
    Greeting,
    /// To whatever is new in the conversation.
    Answer,
    /// These words of ours. Either until they are said, or unless the caller speaks.
    Ask {
        words: String,
        insists: bool,
    },
}

/// Lets one `response.create` through at a time.
#[derive(Debug, Default)]
pub(crate) struct ResponseQueue {
    ongoing: Option<Ongoing>,
    asked: Option<Asked>,
    /// Asked for, given up, and not to be heard should it come after all.
    late: Option<String>,
    owes_greeting: bool,
    owes_answer: bool,
    owes_ask: Option<(String, bool)>,
    turn: Turn,
    not_before: Option<Instant>,
    /// How often nothing came, since something did.
    silences: u32,
    tools: u32,
}

#[derive(Debug)]
struct Ongoing {
    id: String,
    wish: ResponseRequest,
    alive_at: Instant,
    /// So long it may show no sign of life.
    may_be_silent: Duration,
    cancelled_at: Option<Instant>,
    stalled: bool,
}

#[derive(Debug)]
struct Asked {
    event_id: String,
    wish: ResponseRequest,
    at: Instant,
    cancelled: bool,
    /// Another response began after what this one is to answer was there.
    fulfilled: bool,
}

/// The caller's turn.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Turn {
    #[default]
    None,
    Speaking,
    /// Somebody else sees to the answer, until then.
    Over {
        until: Instant,
        collided: bool,
    },
}

/// How a response began.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Began {
    Wanted,
    /// Cancel it: it was interrupted before it began, or given up.
    Unwanted,
}

/// What a silence asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ResponseTimeout {
    /// Cancel this response; it is asked for again.
    Cancel(String),
    /// The link is dead.
    Dead,
}

impl ResponseQueue {
    pub(crate) fn wish(&mut self, wish: ResponseRequest) {
        match wish {
            ResponseRequest::Greeting => self.owes_greeting = true,
            ResponseRequest::Answer => self.owes_answer = true,
            ResponseRequest::Ask { insists: false, .. } if self.turn != Turn::None || self.owes_goodbye() => {
            }
            ResponseRequest::Ask { words, insists } => self.owes_ask = Some((words, insists)),
        }
    }

    /// The same of what was asked for before. Other words of ours that are owed by now stay, unless only these insist.
    pub(crate) fn wish_again(&mut self, wish: ResponseRequest) {
        let is_replaced = match (&wish, &self.owes_ask) {
            (ResponseRequest::Ask { insists, .. }, Some((_, owed_insists))) => *owed_insists || !insists,
            (ResponseRequest::Ask { .. }, None)
            | (ResponseRequest::Greeting | ResponseRequest::Answer, _) => false,
        };
        if !is_replaced {
            self.wish(wish);
        }
    }

    /// Whether words of ours are owed that insist.
    fn owes_goodbye(&self) -> bool {
        self.owes_ask.as_ref().is_some_and(|(_, insists)| *insists)
    }

    /// As [`Gate::wish_again`], but not before then.
    pub(crate) fn wish_later(&mut self, wish: ResponseRequest, not_before: Instant) {
        self.wish_again(wish);
        self.wait_until(not_before);
    }

    /// Nothing is asked for before then.
    pub(crate) fn wait_until(&mut self, not_before: Instant) {
        self.not_before = Some(not_before);
    }

    pub(crate) fn caller_started(&mut self) {
        self.turn = Turn::Speaking;
        self.owes_ask = self.owes_ask.take().filter(|(_, insists)| *insists);
    }

    /// Somebody else, the server or the bridge, now sees to the answer.
    pub(crate) fn caller_stopped(&mut self, now: Instant) {
        self.turn = Turn::Over { until: now + BEGINS_WITHIN, collided: false };
    }

    /// The turn is over, and we answer it or not.
    pub(crate) fn yielded(&mut self, answer: bool) {
        self.turn = Turn::None;
        self.owes_answer |= answer;
    }

    /// The wish whose turn it is. Whoever takes it, calls [`Gate::asked`].
    pub(crate) fn poll(&mut self, now: Instant) -> Option<ResponseRequest> {
        if !self.is_free() || self.not_before.is_some_and(|then| now < then) {
            return None;
        }
        self.not_before = None;
        let may_answer = self.turn == Turn::None;
        if std::mem::take(&mut self.owes_greeting) {
            return Some(ResponseRequest::Greeting);
        }
        if may_answer && std::mem::take(&mut self.owes_answer) {
            return Some(ResponseRequest::Answer);
        }
        self.owes_ask.take().map(|(words, insists)| ResponseRequest::Ask { words, insists })
    }

    pub(crate) fn asked(&mut self, event_id: String, wish: ResponseRequest, now: Instant) {
        self.asked = Some(Asked { event_id, wish, at: now, cancelled: false, fulfilled: false });
    }

    /// A response began. `is_up_to_date`: it knows all that was put into the conversation. `thinks`: so long it may take to
    /// show its first sign of life.
    pub(crate) fn began(
        &mut self,
        response: &Response,
        is_up_to_date: bool,
        thinks: Duration,
        now: Instant,
    ) -> Began {
        let by = response.asked_by();
        let is_late = by.is_some() && by == self.late.as_deref();
        let ours = self.asked.take_if(|asked| match by {
            Some(by) => by == asked.event_id,
            // Some servers do not repeat what we put on it.
            None => !matches!(self.turn, Turn::Over { .. }),
        });
        if let Turn::Over { .. } = self.turn {
            self.turn = Turn::None;
        }
        let unwanted = is_late || ours.as_ref().is_some_and(|ours| ours.cancelled);
        let wish = ours.map(|ours| ours.wish).unwrap_or_else(|| {
            self.fulfil(is_up_to_date && !is_late);
            ResponseRequest::Answer
        });
        let cancelled_at = unwanted.then_some(now);
        self.ongoing = Some(Ongoing {
            id: response.id.clone(),
            wish,
            alive_at: now,
            may_be_silent: thinks,
            cancelled_at,
            stalled: false,
        });
        if unwanted { Began::Unwanted } else { Began::Wanted }
    }

    /// A response of the server's own answers what we owe an answer to.
    fn fulfil(&mut self, is_up_to_date: bool) {
        if is_up_to_date {
            self.owes_answer = false;
            self.asked.iter_mut().for_each(|asked| asked.fulfilled = true);
        }
    }

    /// Something came of a response.
    pub(crate) fn alive(&mut self, id: &str, now: Instant) {
        if let Some(ongoing) = self.ongoing.as_mut().filter(|ongoing| ongoing.id == id) {
            (ongoing.alive_at, ongoing.may_be_silent) = (now, SILENT);
        }
    }

    /// A hosted tool works, or does no more.
    pub(crate) fn tool(&mut self, works: bool, now: Instant) {
        self.tools = if works { self.tools + 1 } else { self.tools.saturating_sub(1) };
        self.ongoing.iter_mut().for_each(|ongoing| ongoing.alive_at = now);
    }

    /// A response is over. What it was for. `has_called`: the answer is owed once its tools have answered, and not before.
    pub(crate) fn ended(
        &mut self,
        response: &Response,
        has_called: bool,
        now: Instant,
    ) -> Option<ResponseRequest> {
        let by = response.asked_by();
        // With an interruption some saw the end of a response that never began.
        if self.asked.as_ref().is_some_and(|asked| by == Some(&asked.event_id)) {
            self.not_before = None;
            return self.asked.take().map(|asked| asked.wish);
        }
        let ongoing = self.ongoing.take_if(|ongoing| ongoing.id == response.id)?;
        self.not_before = None;
        self.tools = 0;
        if ongoing.stalled {
            if !(has_called && ongoing.wish == ResponseRequest::Answer) {
                self.wish_again(ongoing.wish.clone());
            }
        } else if response.status != "failed" {
            self.silences = 0;
        }
        if let Turn::Over { until, collided } = &mut self.turn {
            // A response that was not interrupted stood in the way of the answer.
            *collided = response.status != "cancelled";
            *until = now + if *collided { ANSWERS_LATE_WITHIN } else { BEGINS_WITHIN };
        }
        Some(ongoing.wish)
    }

    /// A response was refused since another is active: ours, or the one of the caller's turn.
    pub(crate) fn crossed(&mut self, event_id: Option<&str>, now: Instant) {
        let is_ours = |asked: &mut Asked| event_id.is_none_or(|id| id == asked.event_id);
        match self.asked.take_if(is_ours) {
            Some(
                Asked { wish: ResponseRequest::Answer, fulfilled: true, .. } | Asked { cancelled: true, .. },
            ) => {}
            Some(Asked { wish, .. }) => self.wish_again(wish),
            None => self.yielded(true),
        }
        if self.ongoing.is_none() {
            self.not_before = Some(now + ANSWERS_LATE_WITHIN);
        }
    }

    /// The server says that this event of ours was wrong. What it was for, if it asked for a response.
    pub(crate) fn refused(&mut self, event_id: Option<&str>) -> Option<ResponseRequest> {
        let asked = self.asked.take_if(|asked| Some(asked.event_id.as_str()) == event_id)?;
        (!asked.cancelled).then_some(asked.wish)
    }

    /// The same, when the server does not say which: what was asked for, if nothing else can be meant.
    pub(crate) fn refused_unnamed(&mut self) -> Option<ResponseRequest> {
        let asked = self.asked.take_if(|_| self.ongoing.is_none())?;
        (!asked.cancelled).then_some(asked.wish)
    }

    /// Interrupts. The response to cancel; one that has not begun yet is cancelled when it does.
    pub(crate) fn cancel(&mut self, now: Instant) -> Option<String> {
        if let Some(asked) = &mut self.asked {
            asked.cancelled = true;
            if let wish @ ResponseRequest::Ask { insists: true, .. } = asked.wish.clone() {
                self.wish_again(wish);
            }
        }
        let ongoing = self.ongoing.as_mut().filter(|ongoing| ongoing.cancelled_at.is_none())?;
        ongoing.cancelled_at = Some(now);
        Some(ongoing.id.clone())
    }

    /// Words of ours are not wanted any more, unless they are being said.
    pub(crate) fn withdraw(&mut self) {
        self.owes_ask = None;
        let asked = self.asked.as_mut().filter(|asked| matches!(asked.wish, ResponseRequest::Ask { .. }));
        asked.into_iter().for_each(|asked| asked.cancelled = true);
    }

    /// Whether this response was cancelled by us: nothing more of it is wanted.
    pub(crate) fn is_cancelled(&self, id: &str) -> bool {
        self.ongoing.as_ref().is_some_and(|ongoing| ongoing.id == id && ongoing.cancelled_at.is_some())
    }

    /// Whether what ends was cancelled by us, before or after it began, or comes after it was given up.
    pub(crate) fn is_unwanted(&self, response: &Response) -> bool {
        let by = response.asked_by();
        let is_cancelled = |asked: &Asked| asked.cancelled && by == Some(&asked.event_id);
        let is_late = by.is_some() && by == self.late.as_deref();
        is_late || self.is_cancelled(&response.id) || self.asked.as_ref().is_some_and(is_cancelled)
    }

    /// Whether a response is asked for that has not begun.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether no turn of the caller's is under way or waits for its answer.
    pub(crate) fn is_callers_turn_over(&self) -> bool {
        self.turn == Turn::None
    }

    /// The ongoing response, and what it is for.
    pub(crate) fn ongoing(&self) -> Option<(&str, &ResponseRequest)> {
        self.ongoing.as_ref().map(|ongoing| (ongoing.id.as_str(), &ongoing.wish))
    }

    /// Whether nothing is asked for or ongoing.
    pub(crate) fn is_free(&self) -> bool {
        self.ongoing.is_none() && self.asked.is_none()
    }

    /// Whether nothing is going on, and nothing is expected or owed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_free()
            && self.turn == Turn::None
            && !(self.owes_answer || self.owes_greeting || self.owes_ask.is_some())
    }

    /// Whether an answer is owed.
    pub(crate) fn owes_answer(&self) -> bool {
        self.owes_answer
    }

    /// Whether the greeting is to be asked for.
    pub(crate) fn wants_greeting(&self) -> bool {
        self.owes_greeting
    }

    /// The greeting is not to be asked for after all.
    pub(crate) fn forgo_greeting(&mut self) {
        self.owes_greeting = false;
    }

    /// Whether the caller speaks.
    pub(crate) fn hears_caller(&self) -> bool {
        self.turn == Turn::Speaking
    }

    /// What a link that takes over from this one owes: an answer, and words of ours. A caller who was speaking is owed
    /// one too. `has_called`: the answer under way is owed once its tools have answered, and not before.
    pub(crate) fn inherit(self, has_called: bool) -> (bool, Option<ResponseRequest>) {
        let (mut answer, mut ask) = (self.owes_answer || self.turn != Turn::None, self.owes_ask);
        let under_way = self.asked.filter(|asked| !asked.cancelled).map(|asked| asked.wish);
        // What we cancelled because it fell silent is still wanted.
        let unfinished = self.ongoing.filter(|ongoing| ongoing.cancelled_at.is_none() || ongoing.stalled);
        let unfinished = unfinished
            .map(|ongoing| ongoing.wish)
            .filter(|wish| !(has_called && *wish == ResponseRequest::Answer));
        for wish in under_way.into_iter().chain(unfinished) {
            match wish {
                ResponseRequest::Answer | ResponseRequest::Greeting => {
                    answer |= wish == ResponseRequest::Answer
                }
                ResponseRequest::Ask { words, insists } => {
                    ask =
                        ask.filter(|(_, owed_insists)| *owed_insists || !insists).or(Some((words, insists)));
                }
            }
        }
        (answer, ask.map(|(words, insists)| ResponseRequest::Ask { words, insists }))
    }
}

#[cfg(test)]
impl ResponseQueue {
    /// Our name for what is asked for.
    pub(crate) fn asked_event(&self) -> Option<&str> {
        self.asked.as_ref().map(|asked| asked.event_id.as_str())
    }
}
