//! Joins the caller's and the agent's audio: playout, jitter buffer, barge-in, DTMF, call timers and hang-up of one
//! call.

mod agent_speech;
mod turn_taking;

use crate::agent_event::Responses;
use crate::barge_in::FloorControl;
use crate::dtmf::{CollectorEvent, DtmfCollector};
use crate::echo_gate::EchoGate;
use crate::hangup::Hangup;
use crate::response_latency::ResponseLatency;
use crate::unheard_speech::UnheardSpeech;
use crate::{
    AgentEvent, BargeInPolicy, CallLimits, CallTimers, DecodeStep, DtmfOptions, DtmfPacket, JitterBuffer,
    KeyPress, Meter, Output, Packet, PlayedItem, Playout, TimeoutReason,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The audio between one caller and one agent. `P` is the payload of the caller's packets.
#[derive(Debug)]
pub struct Bridge<P> {
    playout: Playout,
    jitter_buffer: JitterBuffer<P>,
    meter: Meter,
    responses: Responses,
    floor: FloorControl,
    echo_gate: EchoGate,
    dtmf: DtmfCollector,
    latency: ResponseLatency,
    unheard: UnheardSpeech,
    is_session_down: bool,
    limits: CallLimits,
    timers: Option<CallTimers>,
    is_busy: bool,
    hangup: Hangup,
    opened_at: Option<Instant>,
    has_spoken: bool,
    /// One interruption counts once, however many items it cuts and whenever their audio comes.
    is_interruption_counted: bool,
    /// When the last audible frame sent to the caller ends.
    sound_until: Option<Instant>,
    outputs: VecDeque<Output>,
}

impl<P: Clone> Bridge<P> {
    /// Creates a bridge whose line is not open yet: the agent's speech is queued, and no audio flows.
    pub fn new(limits: CallLimits, policy: BargeInPolicy, dtmf: DtmfOptions) -> Self {
        Self {
            playout: Playout::default(),
            jitter_buffer: JitterBuffer::default(),
            meter: Meter::default(),
            responses: Responses::default(),
            floor: FloorControl::new(policy),
            echo_gate: EchoGate::new(policy.echo_gate_dbfs),
            dtmf: DtmfCollector::new(dtmf),
            latency: ResponseLatency::default(),
            unheard: UnheardSpeech::default(),
            is_session_down: false,
            limits,
            timers: None,
            is_busy: false,
            hangup: Hangup::default(),
            opened_at: None,
            has_spoken: false,
            is_interruption_counted: true,
            sound_until: None,
            outputs: VecDeque::new(),
        }
    }

    /// Opens the line in both directions.
    pub fn open(&mut self, now: Instant) {
        if self.opened_at.is_some() {
            return;
        }
        self.opened_at = Some(now);
        let mut timers = CallTimers::open(self.limits, now);
        timers.note_busy(self.is_busy, now);
        timers.note_hanging_up(self.hangup.is_hanging_up(), now);
        self.timers = Some(timers);
        self.playout.open(now);
        self.jitter_buffer.open(now);
    }

    /// Whether the line is open.
    pub fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }

    /// Whether the caller is being played speech, or a recording. True also between two parts of an unfinished item.
    pub fn is_playing(&self) -> bool {
        self.is_open() && !self.playout.is_idle()
    }

    /// Returns the duration of the agent's speech that is queued.
    pub fn waiting(&self) -> Duration {
        self.playout.waiting()
    }

    /// Returns the call's counters.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Handles an RTP packet of the caller.
    pub fn handle_packet(&mut self, packet: Packet<P>, now: Instant) {
        self.jitter_buffer.handle_packet(packet, now, &mut self.meter);
    }

    /// Counts a packet whose payload type was not negotiated.
    pub fn count_foreign(&mut self) {
        self.meter.foreign += 1;
    }

    /// Counts a packet that cannot be parsed.
    pub fn count_malformed(&mut self) {
        self.meter.malformed += 1;
    }

    /// Handles a telephone-event packet, which may interrupt the agent. The caller passes the packet to
    /// [`Bridge::handle_packet`] too, for its sequence number.
    pub fn handle_dtmf(&mut self, packet: &DtmfPacket<'_>, now: Instant) {
        let Some(press) = KeyPress::read(packet.payload, packet.clock).filter(|_| self.is_open()) else {
            return;
        };
        match self.dtmf.handle(packet, press, now) {
            CollectorEvent::Nothing => {}
            CollectorEvent::Press => {
                self.meter.keys += 1;
                self.note_caller_active(now);
                self.interrupt_by_dtmf();
                self.postpone_hang_up(now);
            }
            CollectorEvent::TooMany => {
                if self.meter.keys_dropped == 0 {
                    self.outputs.push_back(Output::DtmfDropped);
                }
                self.meter.keys_dropped += 1;
            }
        }
        self.outputs.extend(self.dtmf.poll(now).map(Output::Dtmf));
        self.update_state(now);
    }

    /// Notes that a packet of any kind came from the caller's side: the call is not abandoned.
    pub fn note_liveness(&mut self, now: Instant) {
        if let Some(timers) = &mut self.timers {
            timers.note_packet(now);
        }
    }

    /// Applies the echo gate to decoded audio of the caller before the agent gets it, and detects speech that the
    /// agent [does not hear](Output::AgentIsDeaf).
    pub fn gate(&mut self, samples: &mut [i16], now: Instant) {
        self.meter.gated += u64::from(self.echo_gate.silence(samples, now));
        self.detect_unheard_speech(samples, now);
    }

    /// Notes whether tool calls are running: the caller waits for them, and the line is not idle.
    pub fn note_busy(&mut self, is_busy: bool, now: Instant) {
        self.is_busy = is_busy;
        self.latency.note_busy(is_busy, now);
        if let Some(timers) = &mut self.timers {
            timers.note_busy(is_busy, now);
        }
    }

    /// Requests a [hang-up](Output::HangUp) once the agent's speech, of responses in progress too, has been played;
    /// after 20 s at the latest. A caller who speaks over it, or already does, [postpones
    /// it](Output::HangUpPostponed), unless the call must end anyway.
    pub fn hang_up_when_silent(&mut self, now: Instant) {
        self.hangup.start_when_silent(now);
        self.note_hanging_up(now);
        if self.floor.has_interrupted() {
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

    /// Plays a recording, 24 kHz, in place of the agent's speech, queued and future, and then requests the
    /// [hang-up](Output::HangUp). It cannot be interrupted.
    pub fn play_recording(&mut self, samples: Vec<i16>, now: Instant) {
        if self.hangup.start_when_played(now) {
            self.truncate_speech();
            self.playout.play_recording(samples);
            self.note_hanging_up(now);
            self.update_state(now);
        }
    }

    /// Handles an event of the agent.
    pub fn handle_agent(&mut self, event: AgentEvent, now: Instant) {
        match event {
            AgentEvent::ResponseStarted { response } => self.note_response_started(&response),
            AgentEvent::Audio { response, item, samples } => self.queue_audio(&response, item, samples),
            AgentEvent::ItemDone { item } => self.playout.finish(&item),
            AgentEvent::ResponseDone { response } => {
                // An item that is never completed must not block those after it.
                self.playout.finish_response(&response);
                self.responses.end(&response);
            }
            AgentEvent::SpeechStarted => {
                self.note_caller_active(now);
                self.latency.clear();
                self.unheard.clear();
                self.floor.start_speech(now);
            }
            AgentEvent::SpeechStopped => self.end_caller_turn(now),
            AgentEvent::SessionReplaced => {
                self.playout.finish_all();
                self.responses.end_all();
                self.floor.clear_caller();
                self.is_session_down = true;
            }
            AgentEvent::SessionReady => {
                self.unheard.clear();
                self.is_session_down = false;
            }
            AgentEvent::ResponseEmpty { response } => self.note_empty_response(&response),
        }
        self.update_state(now);
    }

    /// Stops the playout, and returns how much of each unfinished item was heard.
    pub fn stop(&mut self) -> Vec<PlayedItem> {
        self.playout.interrupt()
    }

    /// Returns when [`Bridge::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timers = self.timers.and_then(|timers| timers.poll_timeout());
        let sound =
            [self.playout.poll_timeout(), self.jitter_buffer.poll_timeout(), self.floor.poll_timeout()];
        let rest = [self.dtmf.poll_timeout(), self.hangup.poll_timeout(), timers];
        sound.into_iter().chain(rest).flatten().min()
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.jitter_buffer.handle_timeout(now, &mut self.meter);
        if self.floor.hears_caller() {
            self.note_caller_active(now);
        }
        // Before the next frame is sent: a caller who has just spoken for long enough interrupts it.
        self.update_state(now);
        self.play_due(now);
        self.update_state(now);
        self.outputs.extend(self.dtmf.poll(now).map(Output::Dtmf));
        if self.hangup.poll(now) {
            self.finish_hang_up();
        }
        if let Some(action) = self.timers.as_mut().and_then(|timers| timers.poll(now)) {
            self.handle_timer_action(action);
            self.update_state(now);
        }
    }

    /// Returns the next output.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns the next decode step for the caller's audio.
    pub fn poll_step(&mut self) -> Option<DecodeStep<P>> {
        self.jitter_buffer.poll_step()
    }
}

#[cfg(test)]
mod barge_in_tests;
#[cfg(test)]
mod call_timer_tests;
#[cfg(test)]
mod hangup_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod recording_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unheard_speech_tests;
#[cfg(test)]
mod virtual_call;
