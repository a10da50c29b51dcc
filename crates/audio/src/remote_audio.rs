//! Follows a call whose audio another service carries: call timers, DTMF, response latency and hang-up, by what the
//! service reports.

use crate::agent_event::Responses;
use crate::dtmf::{CollectorEvent, DtmfCollector};
use crate::hangup::Hangup;
use crate::response_latency::ResponseLatency;
use crate::{BargeInPolicy, CallLimits, CallTimers, DtmfOptions, Output, TimeoutReason, TimerAction};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the line stays open after the agent's last word: it is on its way to the caller's phone.
const AFTER_SPEECH: Duration = Duration::from_millis(300);

/// The longest wait for the service to have played the goodbye.
const LONGEST_GOODBYE: Duration = Duration::from_secs(10);

/// How long speech counts as being played whose end may have gone unnoticed, because the connection was lost.
const LONGEST_DOUBT: Duration = Duration::from_secs(10);

/// How often speech that goes on is noted.
const SPEECH_NOTED_EVERY: Duration = Duration::from_secs(1);

/// No packet of the caller's is ever seen here, so none is missed.
const NO_PACKETS: Duration = Duration::from_secs(24 * 60 * 60);

/// An event that the service reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteEvent {
    /// The model started a response.
    ResponseStarted {
        /// The response's id.
        response: String,
    },
    /// The response has speech, which will be played.
    Speaking {
        /// The response's id.
        response: String,
    },
    /// The response ended, completed or not. Its speech may still be played.
    ResponseDone {
        /// The response's id.
        response: String,
    },
    /// A response that was not interrupted ends without speech and without a tool call.
    ResponseEmpty {
        /// The response's id.
        response: String,
    },
    /// The service began to play a response to the caller.
    PlaybackStarted {
        /// The response's id.
        response: String,
    },
    /// The service has played a response, or has discarded the rest.
    PlaybackEnded {
        /// The response's id.
        response: String,
    },
    /// The service hears the caller speak.
    SpeechStarted,
    /// The service hears the caller stop.
    SpeechStopped,
    /// The caller pressed a key.
    KeyPressed(char),
    /// The connection to the service was lost: what it was doing is no longer known. It plays on.
    Lost,
}

/// The state of a call whose audio another service carries. The counterpart of [`Bridge`](crate::Bridge).
#[derive(Debug)]
pub struct RemoteAudio {
    policy: BargeInPolicy,
    limits: CallLimits,
    responses: Responses,
    /// The responses whose speech is not played to its end yet.
    unplayed: Vec<String>,
    playing: Option<Arc<str>>,
    /// Until when the speech of a lost connection counts as being played.
    in_doubt_until: Option<Instant>,
    speech_noted_at: Option<Instant>,
    sound_until: Option<Instant>,
    has_spoken: bool,
    is_greeting_over: bool,
    hears_caller: bool,
    dtmf: DtmfCollector,
    has_dropped_keys: bool,
    latency: ResponseLatency,
    timers: Option<CallTimers>,
    is_busy: bool,
    hangup: Hangup,
    opened_at: Option<Instant>,
    outputs: VecDeque<Output>,
}

impl RemoteAudio {
    /// Creates a call whose line is not open yet.
    ///
    /// Of the policy only the protection of the greeting and the keys apply: the service interrupts by itself.
    pub fn new(limits: CallLimits, policy: BargeInPolicy, dtmf: DtmfOptions) -> Self {
        Self {
            policy,
            limits: CallLimits { absence: NO_PACKETS, ..limits },
            responses: Responses::default(),
            unplayed: vec![],
            playing: None,
            in_doubt_until: None,
            speech_noted_at: None,
            sound_until: None,
            has_spoken: false,
            is_greeting_over: false,
            hears_caller: false,
            dtmf: DtmfCollector::new(dtmf),
            has_dropped_keys: false,
            latency: ResponseLatency::default(),
            timers: None,
            is_busy: false,
            hangup: Hangup::after(AFTER_SPEECH, LONGEST_GOODBYE),
            opened_at: None,
            outputs: VecDeque::new(),
        }
    }

    /// Opens the line.
    pub fn open(&mut self, now: Instant) {
        if self.opened_at.is_none() {
            self.opened_at = Some(now);
            self.timers = Some(CallTimers::open(self.limits, now));
        }
    }

    /// Whether the line is open.
    pub fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }

    /// Whether speech is being played to the caller, or will be.
    pub fn is_playing(&self) -> bool {
        self.playing.is_some() || !self.unplayed.is_empty()
    }

    /// Notes whether tool calls are running: the caller waits for them, and the line is not idle.
    pub fn note_busy(&mut self, is_busy: bool, now: Instant) {
        self.is_busy = is_busy;
        self.latency.note_busy(is_busy, now);
        if let Some(timers) = &mut self.timers {
            timers.note_busy(is_busy, now);
        }
    }

    /// Requests a [hang-up](Output::HangUp) once the service has played the agent's speech, after ten seconds at the
    /// latest. A caller who speaks over it [postpones it](Output::HangUpPostponed), unless the call must end anyway.
    pub fn hang_up_when_silent(&mut self, now: Instant) {
        self.hangup.start_when_silent(now);
        self.note_hanging_up(now);
        if self.hears_caller {
            self.postpone_hang_up(now);
        }
        self.update_state(now);
    }

    /// Requests a [goodbye](Output::SayGoodbye) at once, which the caller cannot cancel. Returns whether the line is
    /// open, so that there is a caller to say goodbye to.
    pub fn end_now(&mut self, reason: TimeoutReason) -> bool {
        let Some(timers) = &mut self.timers else { return false };
        timers.end_now(reason);
        true
    }

    /// Handles an event of the service.
    pub fn handle(&mut self, event: RemoteEvent, now: Instant) {
        match event {
            RemoteEvent::ResponseStarted { response } => drop(self.responses.note(&response)),
            RemoteEvent::Speaking { response } => self.note_speaking(response),
            RemoteEvent::ResponseDone { response } => self.responses.end(&response),
            RemoteEvent::ResponseEmpty { response } => self.note_empty_response(&response),
            RemoteEvent::PlaybackStarted { response } => self.start_playback(&response, now),
            RemoteEvent::PlaybackEnded { response } => self.end_playback(&response, now),
            RemoteEvent::SpeechStarted => {
                self.note_caller_active(now);
                self.latency.clear();
                self.hears_caller = true;
                if self.is_greeting_over || self.policy.greeting_is_interruptible {
                    // What the service was about to play is dropped with the rest.
                    self.unplayed.retain(|response| self.playing.as_deref() == Some(response.as_str()));
                }
                self.postpone_hang_up(now);
            }
            RemoteEvent::SpeechStopped => {
                self.note_caller_active(now);
                self.hears_caller = false;
                self.latency.start(self.playing.as_ref(), now);
            }
            RemoteEvent::KeyPressed(key) => self.press(key, now),
            RemoteEvent::Lost => {
                self.responses.end_all();
                self.hears_caller = false;
                self.in_doubt_until = self.is_playing().then_some(now + LONGEST_DOUBT);
            }
        }
        self.update_state(now);
    }

    /// Returns when [`RemoteAudio::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timers = self.timers.and_then(|timers| timers.poll_timeout());
        let speech =
            self.speech_noted_at.filter(|_| self.playing.is_some()).map(|at| at + SPEECH_NOTED_EVERY);
        let audio = [speech, self.in_doubt_until, self.dtmf.poll_timeout(), self.hangup.poll_timeout()];
        audio.into_iter().chain([timers]).flatten().min()
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.hears_caller {
            self.note_caller_active(now);
        }
        if self.in_doubt_until.is_some_and(|until| until <= now) {
            self.stop_waiting_for_playback(now);
        }
        if self.playing.is_some() {
            self.note_agent_speaking(now);
        }
        self.outputs.extend(self.dtmf.poll(now).map(Output::Dtmf));
        self.update_state(now);
        if self.hangup.poll(now) {
            self.finish_hang_up();
        }
        if let Some(action) = self.timers.as_mut().and_then(|timers| timers.poll(now)) {
            self.handle_timer_action(action);
            self.update_state(now);
        }
    }

    /// Returns the next output. Only those that need no audio occur.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn note_speaking(&mut self, response: String) {
        if self.hangup.note_response(&response) {
            self.outputs.push_back(Output::HangUpCancelled);
        }
        if !self.unplayed.contains(&response) {
            self.unplayed.push(response);
        }
    }

    fn start_playback(&mut self, response: &str, now: Instant) {
        if self.in_doubt_until.take().is_some() {
            // What was played before is over.
            self.unplayed.retain(|unplayed| unplayed == response);
        }
        self.playing = Some(response.into());
        self.note_agent_speaking(now);
        if let Some(opened_at) = self.opened_at.filter(|_| !self.has_spoken) {
            self.has_spoken = true;
            self.outputs.push_back(Output::FirstAudio(now - opened_at));
        }
        let Some(measured) = self.latency.note_played(response, now) else { return };
        let (took, waited_for_tools) = (measured.took, measured.waited_for_tools);
        self.outputs.push_back(Output::Answered { took, waited_for_tools });
        if let Some(timers) = &mut self.timers {
            timers.note_answer(now);
        }
    }

    fn end_playback(&mut self, response: &str, now: Instant) {
        self.unplayed.retain(|unplayed| unplayed != response);
        if self.playing.take_if(|playing| &**playing == response).is_some() {
            self.is_greeting_over = true;
            self.sound_until = Some(now);
            self.note_agent_speaking(now);
        }
        if !self.is_playing() {
            self.in_doubt_until = None;
        }
    }

    /// Takes the speech of a lost connection for played: nothing has told its end.
    fn stop_waiting_for_playback(&mut self, now: Instant) {
        self.unplayed.clear();
        (self.in_doubt_until, self.playing, self.sound_until) = (None, None, Some(now));
        self.is_greeting_over = true;
    }

    fn note_agent_speaking(&mut self, now: Instant) {
        self.speech_noted_at = Some(now);
        if let Some(timers) = &mut self.timers {
            timers.note_agent_speaking(now);
        }
    }

    fn press(&mut self, key: char, now: Instant) {
        if !self.is_open() {
            return;
        }
        match self.dtmf.press(key, now) {
            CollectorEvent::Nothing => {}
            CollectorEvent::Press => {
                self.note_caller_active(now);
                self.interrupt_by_dtmf();
                self.postpone_hang_up(now);
            }
            CollectorEvent::TooMany => {
                if !std::mem::replace(&mut self.has_dropped_keys, true) {
                    self.outputs.push_back(Output::DtmfDropped);
                }
            }
        }
        self.outputs.extend(self.dtmf.poll(now).map(Output::Dtmf));
    }

    /// Stops the agent for a DTMF digit. A protected greeting or a final goodbye is played to its end.
    fn interrupt_by_dtmf(&mut self) {
        let is_protected = !(self.is_greeting_over || self.policy.greeting_is_interruptible)
            || self.timers.is_some_and(|timers| timers.is_end_final());
        if self.policy.keys_interrupt && !is_protected && !self.is_agent_done() {
            self.unplayed.retain(|response| self.playing.as_deref() == Some(response.as_str()));
            self.outputs.push_back(Output::CancelResponse);
        }
    }

    fn note_empty_response(&mut self, response: &str) {
        if !self.hears_caller && !self.is_busy && self.hangup.note_empty_response(response) {
            self.finish_hang_up();
        }
    }

    fn note_caller_active(&mut self, now: Instant) {
        let is_cancelled = self.timers.as_mut().is_some_and(|timers| timers.note_caller_active(now));
        if is_cancelled && !self.hangup.is_hanging_up() {
            self.outputs.push_back(Output::HangUpCancelled);
        }
    }

    fn postpone_hang_up(&mut self, now: Instant) {
        let is_end_final = self.timers.is_some_and(|timers| timers.is_end_final());
        if !is_end_final && self.hangup.postpone(self.responses.active(), now) {
            self.note_hanging_up(now);
            self.outputs.push_back(Output::HangUpPostponed);
        }
    }

    fn note_hanging_up(&mut self, now: Instant) {
        if let Some(timers) = &mut self.timers {
            timers.note_hanging_up(self.hangup.is_hanging_up(), now);
        }
    }

    fn handle_timer_action(&mut self, action: TimerAction) {
        self.outputs.push_back(match action {
            TimerAction::IdlePrompt { times } => Output::IdlePrompt { times },
            TimerAction::SayGoodbye(reason) => {
                self.hangup.cancel_postponed();
                Output::SayGoodbye(reason)
            }
            TimerAction::HangUp(reason) => {
                self.hangup.finish();
                Output::ForceHangUp(reason)
            }
        });
    }

    fn finish_hang_up(&mut self) {
        self.timers = None;
        self.outputs.push_back(Output::HangUp);
    }

    fn update_state(&mut self, now: Instant) {
        let awaits_answer = self.is_busy && self.hangup.is_postponed();
        let awaits_keys = self.dtmf.poll_timeout().is_some() && self.hangup.is_postponed();
        let is_quiet = self.is_agent_done() && !self.hears_caller && !awaits_answer && !awaits_keys;
        self.hangup.note_quiet(is_quiet, self.sound_until, now);
    }

    fn is_agent_done(&self) -> bool {
        !self.is_playing() && self.responses.is_empty()
    }
}

#[cfg(test)]
#[path = "remote_audio_tests.rs"]
mod tests;
