//! A call on virtual time for the tests.

use crate::{
    AgentEvent, BargeInPolicy, Bridge, CallLimits, ClockRate, DtmfOptions, DtmfPacket, ItemId, Output,
    Packet, PlayedItem, SAMPLES, Sound,
};
use std::time::{Duration, Instant};

/// A call whose times are milliseconds since its start.
pub(super) struct Call {
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) bridge: Bridge<u16>,
}

impl Call {
    pub(super) fn new(limits: CallLimits, turns: BargeInPolicy) -> Self {
        let start = Instant::now();
        Self { start, now: start, bridge: Bridge::new(limits, turns, DtmfOptions::default()) }
    }

    pub(super) fn open() -> Self {
        Self::open_with(BargeInPolicy::default())
    }

    pub(super) fn open_with(turns: BargeInPolicy) -> Self {
        let mut call = Self::new(CallLimits::default(), turns);
        call.bridge.open(call.start);
        call
    }

    pub(super) fn does(&mut self, event: AgentEvent) {
        self.bridge.handle_agent(event, self.now);
    }

    pub(super) fn agent_says(&mut self, response: &str, name: &str, frames: usize) {
        let said = AgentEvent::Audio {
            response: response.into(),
            item: item(name),
            samples: vec![1_000; frames * SAMPLES],
        };
        self.does(said);
    }

    /// Sends one packet of a key press, as if it was the n-th of the call.
    pub(super) fn presses(&mut self, n: u16, key: u8) {
        let timestamp = 960 * u32::from(n);
        let payload = &[key, 10, 0, 160];
        let packet = DtmfPacket { stream: 1, sequence: n, timestamp, clock: ClockRate::Khz8, payload };
        self.bridge.handle_dtmf(&packet, self.now);
    }

    /// Sends a whole response of one item.
    pub(super) fn agent_answers(&mut self, response: &str, name: &str, frames: usize) {
        self.agent_says(response, name, frames);
        self.does(AgentEvent::ItemDone { item: item(name) });
        self.does(AgentEvent::ResponseDone { response: response.into() });
    }

    /// Runs all timeouts up to `at_ms`, with packets from the caller's side all the time, and returns the outputs.
    pub(super) fn run_until(&mut self, at_ms: u64) -> Vec<Output> {
        let end = self.start + ms(at_ms);
        while let Some(due) = self.bridge.poll_timeout().filter(|due| *due <= end) {
            self.bridge.note_liveness(due);
            self.bridge.handle_timeout(due);
        }
        self.now = end;
        std::iter::from_fn(|| self.bridge.poll_output()).collect()
    }

    /// Runs up to `at_ms` and returns the outputs other than frames.
    pub(super) fn events_until(&mut self, at_ms: u64) -> Vec<Output> {
        let outputs = self.run_until(at_ms).into_iter();
        outputs.filter(|output| !matches!(output, Output::Play(_))).collect()
    }
}

/// Returns the number of audible frames.
pub(super) fn sounding(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Play(Some(_)))).count()
}

/// Returns a packet of 20 ms.
pub(super) fn packet(sequence: u16, is_sound: bool) -> Packet<u16> {
    let sound = Sound { payload: sequence, samples: SAMPLES, corrects: true };
    let timestamp = u32::from(sequence) * 960;
    Packet { stream: 1, sequence, timestamp, sound: is_sound.then_some(sound) }
}

pub(super) fn voice() -> Output {
    Output::Play(Some([1_000; SAMPLES]))
}

pub(super) fn answered(took: u64, waited_for_tools: u64) -> Output {
    Output::Answered { took: ms(took), waited_for_tools: ms(waited_for_tools) }
}

pub(super) fn interrupted(name: &str, heard: u64, of: u64) -> Output {
    Output::Interrupted(PlayedItem { item: item(name), heard: ms(heard), of: ms(of) })
}

pub(super) fn cut_short(name: &str, heard: u64, of: u64) -> Output {
    Output::CutShort(PlayedItem { item: item(name), heard: ms(heard), of: ms(of) })
}

pub(super) fn played(name: &str) -> Output {
    Output::Played(item(name))
}

pub(super) fn item(name: &str) -> ItemId {
    ItemId(name.into())
}

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
