//! Chooses the Opus encoder's bit rate, complexity and FEC by the packet loss that the far side reports and by CPU
//! load.
//!
//! At 20 kbit/s libopus gives wideband or forward error correction (FEC), not both: with FEC it narrows to 12 kHz. So
//! FEC is switched on only where packets get lost.

use crate::LoadLevel;
use std::time::{Duration, Instant};

/// The bit rate for wideband speech.
const WIDEBAND: u32 = 20_000;

/// The bit rate for wideband speech with FEC.
const WIDEBAND_WITH_FEC: u32 = 24_000;

/// The shortest time between changes of settings: each change costs a tenth of a second of encoded silence, or an
/// audible seam.
const MIN_INTERVAL: Duration = Duration::from_secs(4);

/// The loss at which FEC is switched on.
const FEC_ON: f32 = 0.02;

/// The loss below which FEC is switched off again.
const FEC_OFF: f32 = 0.005;

/// The weight of a new loss report in the moving average.
const WEIGHT: f32 = 0.5;

/// Settings of the Opus encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncoderSettings {
    /// The bit rate in bit/s.
    pub bits_per_second: u32,
    /// The complexity of libopus, 0 to 10.
    pub complexity: u8,
    /// The expected packet loss in per cent. libopus encodes FEC above five.
    pub loss_percent: u8,
    /// Whether each packet carries a copy of the frame before it (in-band FEC).
    pub fec: bool,
}

/// Chooses the encoder's settings from loss and load.
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
    /// Creates the settings for a receiver that takes at most `cap` bit/s.
    pub fn new(cap: u32) -> Self {
        let settings = choose(cap, None, LoadLevel::Calm);
        Self { cap, loss: 0.0, is_lossy: false, load: LoadLevel::Calm, settings, changed_at: None }
    }

    /// Returns the current settings.
    pub fn settings(&self) -> EncoderSettings {
        self.settings
    }

    /// Handles a report of recent loss of our packets, 0 to 1.
    pub fn handle_loss(&mut self, loss: f32) {
        self.loss += (loss.clamp(0.0, 1.0) - self.loss) * WEIGHT;
        self.is_lossy = self.loss >= if self.is_lossy { FEC_OFF } else { FEC_ON };
    }

    /// Handles a change of the CPU load.
    pub fn handle_load(&mut self, load: LoadLevel) {
        self.load = load;
    }

    /// Returns new settings if they differ and the last change is long enough ago.
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
        // libopus takes this for a lower rate, and encodes no FEC.
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

/// Rounds the loss to steps, so that not every report changes the settings.
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
    fn a_clean_line_gets_wideband_without_fec() {
        let plain = EncoderSettings { bits_per_second: 20_000, complexity: 5, loss_percent: 0, fec: false };

        assert_eq!(EncoderTuning::new(20_000).settings(), plain);
        assert_eq!(EncoderTuning::new(510_000).settings(), plain);
    }

    #[test]
    fn a_lossy_line_gets_fec_within_the_cap_until_clean() {
        for (cap, bits_per_second) in [(20_000, 20_000), (64_000, 24_000)] {
            let (start, mut tuning) = (Instant::now(), EncoderTuning::new(cap));
            tuning.handle_loss(0.10);

            let lossy = tuning.poll(start).expect("ten per cent is lossy");
            assert_eq!((lossy.bits_per_second, lossy.fec, lossy.loss_percent), (bits_per_second, true, 10));
            (0..3).for_each(|_| tuning.handle_loss(0.0));
            assert_eq!(tuning.poll(start + s(8)), None, "too few clean reports");
            (0..3).for_each(|_| tuning.handle_loss(0.0));
            assert_eq!(tuning.poll(start + s(16)).map(|clean| clean.fec), Some(false));
        }
    }

    #[test]
    fn one_lost_packet_does_not_enable_fec() {
        let (start, mut tuning) = (Instant::now(), EncoderTuning::new(20_000));

        tuning.handle_loss(0.02);

        assert_eq!(tuning.poll(start), None);
    }

    #[test]
    fn load_lowers_complexity_and_settings_change_only_after_an_interval() {
        let (start, mut tuning) = (Instant::now(), EncoderTuning::new(20_000));
        tuning.handle_load(LoadLevel::Busy);
        assert_eq!(tuning.poll(start).map(|busy| busy.complexity), Some(2));
        tuning.handle_load(LoadLevel::Overloaded);
        tuning.handle_loss(0.5);

        assert_eq!(tuning.poll(start + s(3)), None);
        let late = tuning.poll(start + s(4)).expect("settings are due");

        assert_eq!((late.complexity, late.fec), (0, false), "at this complexity libopus encodes no FEC");
    }

    fn s(n: u64) -> Duration {
        Duration::from_secs(n)
    }
}
