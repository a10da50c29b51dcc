//! How the agent's voice is encoded, by what gets lost on the way and what the machine can spare.
//!
//! At 20 kbit/s libopus gives wideband or error correction, not both: with correction it narrows to 12 kHz. So correction
//! is for lines that need it.

use crate::LoadLevel;
use std::time::{Duration, Instant};

/// What wideband speech needs.
const WIDEBAND: u32 = 20_000;

/// What wideband speech with error correction needs.
const WIDEBAND_WITH_FEC: u32 = 24_000;

/// Settings are left alone for so long: each change costs a tenth of a second of encoded silence, or a seam in speech.
const MIN_INTERVAL: Duration = Duration::from_secs(4);

/// From this share of lost packets on, error correction is worth what it costs.
const FEC_ON: f32 = 0.02;

/// Below this share it is not worth it any more.
const FEC_OFF: f32 = 0.005;

/// What a new report weighs against all those before.
const WEIGHT: f32 = 0.5;

/// How to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncoderSettings {
    /// The rate, bit/s.
    pub bits_per_second: u32,
    /// libopus's complexity, 0 to 10.
    pub complexity: u8,
    /// The loss to be prepared for, per cent. libopus corrects errors above five.
    pub loss_percent: u8,
    /// Whether each packet also tells what was in the one before it.
    pub fec: bool,
}

/// Chooses the settings.
#[derive(Debug)]
pub struct EncoderTuning {
    cap: u32,
    loss: f32,
    is_lossy: bool,
    load: LoadLevel,
    settings: EncoderSettings,
    changed_at: Option<Instant>,
}

impl EncoderTuning {
    /// For a far side that takes so many bits a second.
    pub fn new(cap: u32) -> Self {
        let settings = choose(cap, None, LoadLevel::Calm);
        Self { cap, loss: 0.0, is_lossy: false, load: LoadLevel::Calm, settings, changed_at: None }
    }

    /// The settings that were chosen last.
    pub fn settings(&self) -> EncoderSettings {
        self.settings
    }

    /// Takes the share of our packets that the far side says was lost lately, 0 to 1.
    pub fn handle_loss(&mut self, loss: f32) {
        self.loss += (loss.clamp(0.0, 1.0) - self.loss) * WEIGHT;
        self.is_lossy = self.loss >= if self.is_lossy { FEC_OFF } else { FEC_ON };
    }

    /// Takes what the machine can spare.
    pub fn handle_load(&mut self, load: LoadLevel) {
        self.load = load;
    }

    /// Other settings than those so far, if it is time for them.
    pub fn poll(&mut self, now: Instant) -> Option<EncoderSettings> {
        let loss = self.is_lossy.then_some(self.loss);
        let wanted = choose(self.cap, loss, self.load);
        let may_change = self.changed_at.is_none_or(|at| now >= at + MIN_INTERVAL);
        if wanted == self.settings || !may_change {
            return None;
        }
        self.settings = wanted;
        self.changed_at = Some(now);
        Some(wanted)
    }
}

fn choose(cap: u32, loss: Option<f32>, load: LoadLevel) -> EncoderSettings {
    let complexity = match load {
        LoadLevel::Calm => 5,
        LoadLevel::Busy => 2,
        // libopus counts this as a lower rate, and leaves error correction out.
        LoadLevel::Overloaded => 0,
    };
    match loss.filter(|_| load < LoadLevel::Overloaded) {
        Some(loss) => EncoderSettings {
            bits_per_second: cap.min(WIDEBAND_WITH_FEC),
            complexity,
            loss_percent: loss_step(loss),
            fec: true,
        },
        None => {
            EncoderSettings { bits_per_second: cap.min(WIDEBAND), complexity, loss_percent: 0, fec: false }
        }
    }
}

/// In steps, so that not every report is a change.
fn loss_step(loss: f32) -> u8 {
    match loss {
        loss if loss < 0.10 => 10,
        loss if loss < 0.18 => 15,
        _ => 25,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_line_has_wideband_without_correction() {
        let plain = EncoderSettings { bits_per_second: 20_000, complexity: 5, loss_percent: 0, fec: false };

        assert_eq!(EncoderTuning::new(20_000).settings(), plain);
        assert_eq!(EncoderTuning::new(510_000).settings(), plain);
    }

    #[test]
    fn a_lossy_line_gets_correction_within_the_cap_until_it_is_clean_again() {
        for (cap, bits_per_second) in [(20_000, 20_000), (64_000, 24_000)] {
            let (start, mut tuning) = (Instant::now(), EncoderTuning::new(cap));
            tuning.handle_loss(0.10);

            let lossy = tuning.poll(start).expect("ten per cent is lossy");
            assert_eq!((lossy.bits_per_second, lossy.fec, lossy.loss_percent), (bits_per_second, true, 10));
            (0..3).for_each(|_| tuning.handle_loss(0.0));
            assert_eq!(tuning.poll(start + s(8)), None, "a moment is no proof");
            (0..3).for_each(|_| tuning.handle_loss(0.0));
            assert_eq!(tuning.poll(start + s(16)).map(|clean| clean.fec), Some(false));
        }
    }

    #[test]
    fn one_lost_packet_is_no_lossy_line() {
        let (start, mut tuning) = (Instant::now(), EncoderTuning::new(20_000));

        tuning.handle_loss(0.02);

        assert_eq!(tuning.poll(start), None);
    }

    #[test]
    fn a_machine_that_is_late_encodes_cheaper_and_settings_are_left_alone_for_a_while() {
        let (start, mut tuning) = (Instant::now(), EncoderTuning::new(20_000));
        tuning.handle_load(LoadLevel::Busy);
        assert_eq!(tuning.poll(start).map(|busy| busy.complexity), Some(2));
        tuning.handle_load(LoadLevel::Overloaded);
        tuning.handle_loss(0.5);

        assert_eq!(tuning.poll(start + s(3)), None);
        let late = tuning.poll(start + s(4)).expect("it is time");

        assert_eq!((late.complexity, late.fec), (0, false), "at this complexity libopus corrects nothing");
    }

    fn s(n: u64) -> Duration {
        Duration::from_secs(n)
    }
}
