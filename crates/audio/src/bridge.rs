//! Joins caller and agent: what goes where, who may interrupt whom, and what the agent is told of it.

mod agent_speech;
mod consequences;

use crate::agent_event::Responses;
use crate::barge_in::Floor;
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

/// Sound between one caller and one agent. `P` is a packet of the caller's.
#[derive(Debug)]
pub struct Bridge<P> {
    playout: Playout,
    uplink: JitterBuffer<P>,
    meter: Meter,
    responses: Responses,
    floor: Floor,
    echo: EchoGate,
    keys: DtmfCollector,
    stopwatch: ResponseLatency,
    unheard: UnheardSpeech,
    is_agent_away: bool,
    limits: CallLimits,
    patience: Option<CallTimers>,
    is_busy: bool,
    leaving: Hangup,
    opened_at: Option<Instant>,
    spoke: bool,
    /// However many items it cuts, and whenever they come, an interruption is one.
    is_interruption_counted: bool,
    /// When the last sound sent to the caller is, or was, over.
    sound_until: Option<Instant>,
    outputs: VecDeque<Output>,
}

impl<P: Clone> Bridge<P> {
    /// A bridge that is not open yet: the agent may prepare what it says, nobody hears anything.
    pub fn new(limits: CallLimits, turns: BargeInPolicy, keypad: DtmfOptions) -> Self {
        Self {
            playout: Playout::default(),
            uplink: JitterBuffer::default(),
            meter: Meter::default(),
            responses: Responses::default(),
            floor: Floor::new(turns),
            echo: EchoGate::new(turns.echo_gate_dbfs),
            keys: DtmfCollector::new(keypad),
            stopwatch: ResponseLatency::default(),
            unheard: UnheardSpeech::default(),
            is_agent_away: false,
            limits,
            patience: None,
            is_busy: false,
            leaving: Hangup::default(),
            opened_at: None,
            spoke: false,
            is_interruption_counted: true,
            sound_until: None,
            outputs: VecDeque::new(),
        }
    }

    /// Opens the line, both ways at once.
    pub fn open(&mut self, now: Instant) {
        if self.opened_at.is_some() {
            return;
        }
        self.opened_at = Some(now);
        let mut patience = CallTimers::open(self.limits, now);
        patience.note_busy(self.is_busy, now);
        patience.note_leaving(self.leaving.is_leaving(), now);
        self.patience = Some(patience);
        self.playout.open(now);
        self.uplink.open(now);
    }

    /// Whether the line is open.
    pub fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }

    /// Whether the caller is being played something: speech, with more of it to come, or a recording.
    pub fn is_playing(&self) -> bool {
        self.is_open() && !self.playout.is_idle()
    }

    /// How much of the agent's speech is waiting to be played.
    pub fn waiting(&self) -> Duration {
        self.playout.waiting()
    }

    /// The counters.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Takes a packet of the caller's.
    pub fn handle_packet(&mut self, packet: Packet<P>, now: Instant) {
        self.uplink.handle_packet(packet, now, &mut self.meter);
    }

    /// Notes a packet of a payload type that was not agreed on.
    pub fn note_foreign(&mut self) {
        self.meter.foreign += 1;
    }

    /// Notes a packet, or what should be one, that nobody can read.
    pub fn note_malformed(&mut self) {
        self.meter.malformed += 1;
    }

    /// Takes one packet of a key being pressed, which may stop the agent. Its place in the sequence it takes besides, by
    /// [`Bridge::handle_packet`].
    pub fn handle_key(&mut self, packet: &DtmfPacket<'_>, now: Instant) {
        let Some(press) = KeyPress::read(packet.payload, packet.clock).filter(|_| self.is_open()) else {
            return;
        };
        match self.keys.handle(packet, press, now) {
            CollectorEvent::Nothing => {}
            CollectorEvent::Press => {
                self.meter.keys += 1;
                self.note_caller(now);
                self.interrupt_by_key();
                self.postpone(now);
            }
            CollectorEvent::TooMany => {
                if self.meter.keys_dropped == 0 {
                    self.outputs.push_back(Output::KeysDropped);
                }
                self.meter.keys_dropped += 1;
            }
        }
        self.outputs.extend(self.keys.poll(now).map(Output::Keyed));
        self.settle(now);
    }

    /// Notes that something came from the caller's side, sound or not.
    pub fn handle_sign_of_life(&mut self, now: Instant) {
        if let Some(patience) = &mut self.patience {
            patience.note_packet(now);
        }
    }

    /// Silences the caller's decoded sound where it is only the agent's echo, before the agent hears it; and notices when the
    /// agent does [not hear](Output::AgentIsDeaf) it.
    pub fn gate(&mut self, samples: &mut [i16], now: Instant) {
        self.meter.gated += u64::from(self.echo.silence(samples, now));
        self.notice_unheard(samples, now);
    }

    /// Notes whether the agent is waiting for its tools: the caller is not silent then, but patient.
    pub fn note_busy(&mut self, is_busy: bool, now: Instant) {
        self.is_busy = is_busy;
        self.stopwatch.note_busy(is_busy, now);
        if let Some(patience) = &mut self.patience {
            patience.note_busy(is_busy, now);
        }
    }

    /// Leaves once all that the agent has said, and is still saying, was played: then it is
    /// [all said](Output::SaidAll), at the latest after 20 s. A caller who interrupts that, or already has, [postpones
    /// it](Output::Postponed), unless the call has lasted as long as it may.
    pub fn close_when_silent(&mut self, now: Instant) {
        self.leaving.leave_when_silent(now);
        self.note_leaving(now);
        if self.floor.has_interrupted() {
            self.postpone(now);
        }
        self.settle(now);
    }

    /// Has the call [wound up](Output::WindUp) at once: whoever holds it must leave, and nobody calls that off. Whether there
    /// is anybody on the line to say goodbye to.
    pub fn must_leave(&mut self) -> bool {
        let Some(patience) = &mut self.patience else { return false };
        patience.must_end(TimeoutReason::MustLeave);
        true
    }

    /// Has the call [wound up](Output::WindUp) at once, since as much was spent in the day as may be. Nothing calls that off.
    pub fn spend_no_more(&mut self) {
        if let Some(patience) = &mut self.patience {
            patience.must_end(TimeoutReason::CapReached);
        }
    }

    /// Plays a recording, 24 kHz, instead of all that the agent has said and will say. It cannot be interrupted. When
    /// it is over, [all is said](Output::SaidAll).
    pub fn play_recorded(&mut self, samples: Vec<i16>, now: Instant) {
        if self.leaving.leave_when_played(now) {
            self.cut_speech();
            self.playout.play_recording(samples);
            self.note_leaving(now);
            self.settle(now);
        }
    }

    /// Takes what the agent does.
    pub fn handle_agent(&mut self, event: AgentEvent, now: Instant) {
        match event {
            AgentEvent::Began { response } => self.expect(&response),
            AgentEvent::Said { response, item, samples } => self.queue(&response, item, samples),
            AgentEvent::Finished { item } => self.playout.finish(&item),
            AgentEvent::Ended { response } => {
                // An item that was never said to be whole must not hold up those after it.
                self.playout.finish_response(&response);
                self.responses.end(&response);
            }
            AgentEvent::HearsCaller => {
                self.note_caller(now);
                self.stopwatch.clear();
                self.unheard.clear();
                self.floor.start_caller(now);
            }
            AgentEvent::HearsCallerStop => self.end_turn(now),
            AgentEvent::Replaced => {
                self.playout.finish_all();
                self.responses.end_all();
                self.floor.forget_caller();
                self.is_agent_away = true;
            }
            AgentEvent::Restored => {
                self.unheard.clear();
                self.is_agent_away = false;
            }
            AgentEvent::SaidNothing { response } => self.note_nothing(&response),
        }
        self.settle(now);
    }

    /// Takes leave of the line: nothing is played any more. How much was heard of what was not heard to its end.
    pub fn abandon(&mut self) -> Vec<PlayedItem> {
        self.playout.interrupt()
    }

    /// When [`Bridge::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let patience = self.patience.and_then(|patience| patience.poll_timeout());
        let sound = [self.playout.poll_timeout(), self.uplink.poll_timeout(), self.floor.poll_timeout()];
        let rest = [self.keys.poll_timeout(), self.leaving.poll_timeout(), patience];
        sound.into_iter().chain(rest).flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.uplink.handle_timeout(now, &mut self.meter);
        if self.floor.hears_caller() {
            self.note_caller(now);
        }
        // Before another frame: whoever has just spoken for long enough interrupts this one.
        self.settle(now);
        self.play(now);
        self.settle(now);
        self.outputs.extend(self.keys.poll(now).map(Output::Keyed));
        if self.leaving.poll(now) {
            self.say_all();
        }
        if let Some(wanted) = self.patience.as_mut().and_then(|patience| patience.poll(now)) {
            self.want(wanted);
            self.settle(now);
        }
    }

    /// What is to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The next frame of the caller's sound, for the agent.
    pub fn poll_slot(&mut self) -> Option<DecodeStep<P>> {
        self.uplink.poll_slot()
    }
}

#[cfg(test)]
mod barge_in_tests;
#[cfg(test)]
mod hangup_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unheard_speech_tests;
#[cfg(test)]
mod virtual_call;
