//! The caller's audio on its way to the model: decodes packets, and collects samples for the next append.

use crate::codec::OpusDecoder;
use audio::DecodeStep;
use bytes::Bytes;
use media_diagnosis::AudioActivity;

/// Samples of the caller's audio in one append to the model: 40 ms.
const APPEND_SAMPLES: usize = 2 * audio::SAMPLES;

/// The most samples that one Opus packet adds to an append: 120 ms.
const MAX_PACKET_SAMPLES: usize = 6 * audio::SAMPLES;

/// The largest sample of a silent frame: -60 dBFS.
const SILENCE: u16 = 32;

/// The decoder of one call, and the samples that wait for the next append.
pub(super) struct CallerAudio {
    decoder: OpusDecoder,
    samples: Vec<i16>,
}

impl CallerAudio {
    pub(super) fn new() -> Self {
        Self { decoder: OpusDecoder::new(), samples: Vec::with_capacity(APPEND_SAMPLES + MAX_PACKET_SAMPLES) }
    }

    /// Decodes what the jitter buffer released. Returns its samples, and whether the packet could be decoded.
    pub(super) fn decode(&mut self, step: &DecodeStep<Bytes>) -> (&mut [i16], bool) {
        let start = self.samples.len();
        let is_decoded = self.decoder.decode(step, &mut self.samples);
        (&mut self.samples[start..], is_decoded)
    }

    /// Passes the collected samples on once there are enough for one append.
    pub(super) fn append_when_full(&mut self, append: impl FnOnce(&[i16])) {
        if self.samples.len() >= APPEND_SAMPLES {
            append(&self.samples);
            self.samples.clear();
        }
    }
}

/// Returns whether samples are audible.
pub(super) fn activity(samples: &[i16]) -> AudioActivity {
    let is_audible = samples.iter().any(|sample| sample.unsigned_abs() > SILENCE);
    if is_audible { AudioActivity::Audible } else { AudioActivity::Silent }
}
