//! Makes pure tones, and finds them by the Goertzel algorithm.

use crate::{RATE, samples};
use std::f64::consts::TAU;
use std::time::Duration;

const AMPLITUDE: f64 = 8_000.0;

/// A sine of `hertz` for `length`, at about -12 dBFS, faded in and out over 5 ms so that it does not click.
pub fn tone(hertz: f64, length: Duration) -> Vec<i16> {
    let count = samples(length);
    let ramp = (RATE / 200) as usize;
    (0..count)
        .map(|n| {
            let edge = n.min(count - 1 - n).min(ramp) as f64 / ramp as f64;
            (AMPLITUDE * edge * (TAU * hertz * n as f64 / f64::from(RATE)).sin()) as i16
        })
        .collect()
}

/// The share of a recording's energy that is at `hertz`: 1.0 for that pure tone, near 0 for anything else.
pub fn strength(recording: &[i16], hertz: f64) -> f64 {
    let energy: f64 = recording.iter().map(|s| f64::from(*s).powi(2)).sum();
    if energy == 0.0 {
        return 0.0;
    }
    let step = TAU * hertz / f64::from(RATE);
    let (mut last, mut before) = (0.0, 0.0);
    for sample in recording {
        let next = f64::from(*sample) + 2.0 * step.cos() * last - before;
        before = last;
        last = next;
    }
    let power = last * last + before * before - 2.0 * step.cos() * last * before;
    2.0 * power / (energy * recording.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_and_another_is_not() {
        let recording = tone(440.0, Duration::from_millis(500));

        assert!(strength(&recording, 440.0) > 0.95);
        assert!(strength(&recording, 880.0) < 0.01);
    }

    #[test]
    fn silence_holds_no_tone() {
        assert_eq!(strength(&[0; 4_800], 440.0), 0.0);
    }
}
