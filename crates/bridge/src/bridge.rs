//! Joins caller and agent: what goes where, who may interrupt whom, and what the agent is told of it.

use crate::{Frame, Heard, ItemId, Limits, Meter, Patience, Playout, Slot, Uplink, Verdict};
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

/// What the agent does, whichever model is behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent {
    /// It begins a response.
    Began {
        /// The response's id.
        response: String,
    },
    /// It says something.
    Said {
        /// The response this belongs to.
        response: String,
        /// The item this belongs to.
        item: ItemId,
        /// 24 kHz, mono.
        samples: Vec<i16>,
    },
    /// An item is whole.
    Finished {
        /// Which.
        item: ItemId,
    },
    /// A response is over.
    Ended {
        /// Which.
        response: String,
    },
    /// It hears the caller speak.
    HearsCaller,
    /// It hears the caller no more.
    HearsCallerStop,
}

/// What the bridge wants done, and what it noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this frame of speech, or silence, to the caller.
    Play(Option<Box<Frame>>),
    /// Tell the agent how much of what it said was heard: the caller interrupted it.
    Interrupted(Heard),
    /// The first of the agent's voice was sent, so long after the line opened.
    FirstWord(Duration),
    /// The agent answered the caller: from when the caller was heard to stop, to the first voice sent.
    Turn(Duration),
    /// Patience ran out.
    GiveUp(Verdict),
}

/// Sound between one caller and one agent. `P` is a packet of the caller's.
#[derive(Debug)]
pub struct Bridge<P> {
    playout: Playout,
    uplink: Uplink<P>,
    meter: Meter,
    patience: Option<Patience>,
    limits: Limits,
    opened_at: Option<Instant>,
    spoke: bool,
    caller_speaks: bool,
    caller_stopped_at: Option<Instant>,
    active: HashSet<String>,
    discarded: HashSet<String>,
    outputs: VecDeque<Output>,
}

impl<P: Clone> Bridge<P> {
    /// A bridge that is not open yet: the agent may prepare what it says, nobody hears anything.
    pub fn new(limits: Limits) -> Self {
        Self {
            playout: Playout::default(),
            uplink: Uplink::default(),
            meter: Meter::default(),
            patience: None,
            limits,
            opened_at: None,
            spoke: false,
            caller_speaks: false,
            caller_stopped_at: None,
            active: HashSet::new(),
            discarded: HashSet::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Opens the line, both ways at once.
    pub fn open(&mut self, now: Instant) {
        if self.opened_at.is_some() {
            return;
        }
        self.opened_at = Some(now);
        self.patience = Some(Patience::open(self.limits, now));
        self.playout.open(now);
        self.uplink.open(now);
    }

    /// Whether the line is open.
    pub fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }

    /// How much of the agent's speech is waiting to be played.
    pub fn waiting(&self) -> Duration {
        self.playout.waiting()
    }

    /// The counters.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Takes a packet of the caller's sound; `None` if it holds none.
    pub fn handle_packet(&mut self, sequence: u16, packet: Option<P>, now: Instant) {
        self.uplink.handle_packet(sequence, packet, now, &mut self.meter);
    }

    /// Notes that something came from the caller's side, sound or not.
    pub fn handle_sign_of_life(&mut self, now: Instant) {
        if let Some(patience) = &mut self.patience {
            patience.note_packet(now);
        }
    }

    /// Takes what the agent does.
    pub fn handle_agent(&mut self, event: Agent, now: Instant) {
        match event {
            Agent::Began { response } => {
                self.active.insert(response);
            }
            Agent::Said { response, item, samples } => self.queue(response, &item, &samples),
            Agent::Finished { item } => self.playout.finish(&item),
            Agent::Ended { response } => {
                // An item that was never said to be whole must not hold up those after it.
                self.playout.finish_all();
                self.active.remove(&response);
            }
            Agent::HearsCaller => self.interrupt(now),
            Agent::HearsCallerStop => {
                self.note_voice(now);
                self.caller_speaks = false;
                self.caller_stopped_at = Some(now);
            }
        }
    }

    /// When [`Bridge::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let patience = self.patience.map(|patience| patience.poll_timeout());
        [self.playout.poll_timeout(), self.uplink.poll_timeout(), patience].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.uplink.handle_timeout(now, &mut self.meter);
        while let Some((frame, late)) = self.playout.poll_frame(now) {
            self.play(frame, late, now);
        }
        if self.caller_speaks {
            self.note_voice(now);
        }
        if let Some(verdict) = self.patience.and_then(|patience| patience.verdict(now)) {
            // Said once: whoever hears it ends the call.
            self.patience = None;
            self.outputs.push_back(Output::GiveUp(verdict));
        }
    }

    /// What is to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The next frame of the caller's sound, for the agent.
    pub fn poll_slot(&mut self) -> Option<Slot<P>> {
        self.uplink.poll_slot()
    }

    fn queue(&mut self, response: String, item: &ItemId, samples: &[i16]) {
        if self.discarded.contains(&response) {
            return;
        }
        self.active.insert(response);
        self.meter.dropped += self.playout.push(item, samples);
    }

    /// The caller speaks over the agent: what is queued is dropped, and so is what still comes of it.
    fn interrupt(&mut self, now: Instant) {
        self.note_voice(now);
        self.caller_speaks = true;
        self.caller_stopped_at = None;
        self.discarded.extend(self.active.drain());
        self.outputs.extend(self.playout.interrupt().into_iter().map(Output::Interrupted));
    }

    fn play(&mut self, frame: Option<Frame>, late: Duration, now: Instant) {
        self.meter.sent += 1;
        self.meter.late.note(late);
        if frame.is_some() {
            self.note_speech(now);
        }
        self.outputs.push_back(Output::Play(frame.map(Box::new)));
    }

    fn note_speech(&mut self, now: Instant) {
        self.note_voice(now);
        if let Some(opened_at) = self.opened_at.filter(|_| !self.spoke) {
            self.spoke = true;
            self.outputs.push_back(Output::FirstWord(now - opened_at));
        }
        if let Some(stopped_at) = self.caller_stopped_at.take() {
            self.outputs.push_back(Output::Turn(now - stopped_at));
        }
    }

    fn note_voice(&mut self, now: Instant) {
        if let Some(patience) = &mut self.patience {
            patience.note_voice(now);
        }
    }
}

#[cfg(test)]
#[path = "bridge_tests.rs"]
mod tests;
