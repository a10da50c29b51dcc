//! The three audio formats of the Realtime API, in bytes and in our 24 kHz samples.

use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};
use serde_json::{Value, json};

/// Samples of ours for each sample of 8 kHz G.711.
const UPSAMPLING: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// 16 bit little endian, 24 kHz: the only rate there is.
    Pcm,
    /// 8 kHz.
    Mulaw,
    /// 8 kHz.
    Alaw,
}

impl Format {
    /// The format that a session's `format` object asks for; PCM when it does not say.
    pub(crate) fn of(json: &Value) -> Self {
        match json["type"].as_str() {
            Some("audio/pcmu") => Self::Mulaw,
            Some("audio/pcma") => Self::Alaw,
            _ => Self::Pcm,
        }
    }

    pub(crate) fn json(self) -> Value {
        match self {
            Self::Pcm => json!({"type": "audio/pcm", "rate": sim_audio::RATE}),
            Self::Mulaw => json!({"type": "audio/pcmu"}),
            Self::Alaw => json!({"type": "audio/pcma"}),
        }
    }

    pub(crate) fn milliseconds(self, bytes: usize) -> u64 {
        (bytes / self.bytes(1)) as u64
    }

    pub(crate) fn bytes(self, milliseconds: usize) -> usize {
        match self {
            Self::Pcm => milliseconds * 48,
            Self::Mulaw | Self::Alaw => milliseconds * 8,
        }
    }

    pub(crate) fn sample_bytes(self) -> usize {
        match self {
            Self::Pcm => 2,
            Self::Mulaw | Self::Alaw => 1,
        }
    }

    /// The samples in these bytes; `None` when they end in the middle of one.
    pub(crate) fn decode(self, bytes: &[u8]) -> Option<Vec<i16>> {
        match self {
            Self::Pcm if !bytes.len().is_multiple_of(2) => None,
            Self::Pcm => Some(bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()),
            Self::Mulaw => Some(upsample(bytes.iter().map(|b| decode_ulaw(*b)))),
            Self::Alaw => Some(upsample(bytes.iter().map(|b| decode_alaw(*b)))),
        }
    }

    pub(crate) fn encode(self, samples: &[i16]) -> Vec<u8> {
        match self {
            Self::Pcm => samples.iter().flat_map(|s| s.to_le_bytes()).collect(),
            Self::Mulaw => downsample(samples).map(encode_ulaw).collect(),
            Self::Alaw => downsample(samples).map(encode_alaw).collect(),
        }
    }
}

/// Draws a line from each sample to the next.
fn upsample(samples: impl Iterator<Item = i16>) -> Vec<i16> {
    let mut samples = samples.map(i32::from).peekable();
    let mut dense = Vec::new();
    while let Some(sample) = samples.next() {
        let slope = samples.peek().map_or(0, |next| next - sample);
        dense.extend((0..UPSAMPLING as i32).map(|n| (sample + slope * n / UPSAMPLING as i32) as i16));
    }
    dense
}

/// Averages each three samples, which is filter enough for speech.
fn downsample(samples: &[i16]) -> impl Iterator<Item = i16> {
    samples.chunks_exact(UPSAMPLING).map(|three| {
        let sum: i32 = three.iter().map(|s| i32::from(*s)).sum();
        (sum / UPSAMPLING as i32) as i16
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_tone_survives_each_format() {
        let sent = sim_audio::tone(440.0, Duration::from_millis(300));
        for format in [Format::Pcm, Format::Mulaw, Format::Alaw] {
            let bytes = format.encode(&sent);
            let got = format.decode(&bytes).expect("whole samples were encoded");

            assert_eq!(format.milliseconds(bytes.len()), 300);
            assert_eq!(got.len(), sent.len());
            assert!(sim_audio::tone::strength(&got, 440.0) > 0.95, "{format:?}");
        }
    }

    #[test]
    fn half_a_sample_is_no_sound() {
        assert_eq!(Format::Pcm.decode(&[1, 2, 3]), None);
    }

    #[test]
    fn a_format_is_read_as_it_is_written() {
        for format in [Format::Pcm, Format::Mulaw, Format::Alaw] {
            assert_eq!(Format::of(&format.json()), format);
        }
    }
}
