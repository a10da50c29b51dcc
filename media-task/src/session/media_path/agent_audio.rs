//! The agent's audio on its way to the caller: encodes frames, and adapts the encoder to loss and load.

use crate::codec::OpusEncoder;
use audio::{EncoderTuning, Frame, LoadLevel};
use bytes::Bytes;
use std::time::Instant;

/// The encoder of one call.
pub(super) struct AgentAudio {
    encoder: OpusEncoder,
    tuning: EncoderTuning,
    was_speaking: bool,
}

impl AgentAudio {
    pub(super) fn new(bits_per_second: u32) -> Self {
        let tuning = EncoderTuning::new(bits_per_second);
        Self { encoder: OpusEncoder::new(tuning.settings()), tuning, was_speaking: false }
    }

    /// Encodes a frame, or comfort noise. Returns the packet, and whether it begins a talkspurt.
    pub(super) fn encode(&mut self, frame: Option<&Frame>) -> (Bytes, bool) {
        let begins = frame.is_some() && !self.was_speaking;
        self.was_speaking = frame.is_some();
        (self.encoder.encode(frame), begins)
    }

    /// Notes how much of what we send is lost.
    pub(super) fn handle_loss(&mut self, loss: f32) {
        self.tuning.handle_loss(loss);
    }

    /// Adapts the encoder to the loss noted and to the load of this machine.
    pub(super) fn tune(&mut self, load: LoadLevel, now: Instant) {
        self.tuning.handle_load(load);
        if let Some(settings) = self.tuning.poll(now) {
            self.encoder.tune(settings);
        }
    }
}
