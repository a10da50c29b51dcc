//! Finds a spoken clip in a recording: aligned energy envelopes of 20 ms, correlated.

use crate::{FRAME, level::envelope};

/// At least this alike, the recording contains the clip.
pub const HEARD: f64 = 0.8;

/// Where a clip was found in a recording, and how well it fits there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Pearson correlation of the two envelopes, -1 to 1.
    pub correlation: f64,
    /// The sample of the recording at which the clip begins.
    pub at: usize,
}

/// The best fit of `clip` anywhere in `recording`; `None` when the recording is shorter than the clip.
///
/// Envelopes are compared at every quarter of a frame, since it is not given that the recording's
/// frames begin where the clip's do.
pub fn find(clip: &[i16], recording: &[i16]) -> Option<Match> {
    let wanted = envelope(clip);
    (0..4)
        .filter_map(|quarter| find_aligned(&wanted, recording, quarter * FRAME / 4))
        .max_by(|a, b| a.correlation.total_cmp(&b.correlation))
}

fn find_aligned(wanted: &[f64], recording: &[i16], skip: usize) -> Option<Match> {
    let heard = envelope(recording.get(skip..)?);
    heard
        .windows(wanted.len().max(1))
        .enumerate()
        .map(|(n, window)| Match { correlation: correlation(wanted, window), at: skip + n * FRAME })
        .max_by(|a, b| a.correlation.total_cmp(&b.correlation))
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut only_a, mut only_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        both += (a - mean_a) * (b - mean_b);
        only_a += (a - mean_a).powi(2);
        only_b += (b - mean_b).powi(2);
    }
    if only_a == 0.0 || only_b == 0.0 {
        return 0.0;
    }
    both / (only_a * only_b).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clips;

    #[test]
    fn a_clip_is_found_where_it_begins_however_quiet() {
        let clip = clips::caller_question();
        let mut recording = vec![0; 12_345];
        recording.extend(clip.samples.iter().map(|s| s / 4));
        recording.extend([0; 30_000]);

        let found = find(&clip.samples, &recording).expect("the recording is longer than the clip");

        assert!(found.correlation > 0.95, "{found:?}");
        assert!(found.at.abs_diff(12_345) < FRAME, "{found:?}");
    }

    #[test]
    fn another_sentence_is_not_taken_for_it() {
        let found = find(&clips::caller_question().samples, &clips::agent_long().samples);

        assert!(found.is_some_and(|m| m.correlation < HEARD), "{found:?}");
    }

    #[test]
    fn a_recording_too_short_holds_nothing() {
        assert_eq!(find(&clips::agent_answer().samples, &[0; 4_800]), None);
    }
}
