//! Measures how loud a frame is, and detects speech in it.

use crate::FRAME;

/// Louder than this, a frame counts as voiced, dBFS. Encoder noise in silence stays below -80, quiet speech above -45.
pub const VOICED_DBFS: f64 = -50.0;

/// Root mean square of some samples in dBFS; silence is -120.
pub fn dbfs(samples: &[i16]) -> f64 {
    let energy: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    if energy == 0.0 {
        return -120.0;
    }
    let rms = (energy / samples.len() as f64).sqrt();
    (20.0 * (rms / 32_768.0).log10()).max(-120.0)
}

/// Whether this frame contains speech.
pub fn is_voiced(frame: &[i16]) -> bool {
    dbfs(frame) > VOICED_DBFS
}

/// The loudness of each whole frame of 20 ms, as root mean square in samples' units.
pub fn envelope(recording: &[i16]) -> Vec<f64> {
    recording
        .chunks_exact(FRAME)
        .map(|frame| {
            let energy: f64 = frame.iter().map(|s| f64::from(*s).powi(2)).sum();
            (energy / frame.len() as f64).sqrt()
        })
        .collect()
}
