//! Encodes and decodes audio as the Realtime API carries it: base64 of 16-bit little-endian samples or of G.711.

use crate::options::Format;
use crate::resampling::{Downsampler, Upsampler};
use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::time::Duration;

/// The sample rate of audio in the rest of the product, in Hz.
pub(crate) const RATE: u32 = 24_000;

/// Encodes the caller's audio.
#[derive(Debug)]
pub(crate) struct AudioEncoder {
    format: Format,
    down: Downsampler,
}

impl AudioEncoder {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, down: Downsampler::default() }
    }

    /// Encodes samples, 24 kHz mono, as base64; `None` if there is nothing to send yet.
    pub(crate) fn encode(&mut self, samples: &[i16]) -> Option<String> {
        let bytes = match self.format {
            Format::Pcm => little_endian(samples),
            Format::Ulaw => self.down.convert(samples).map(encode_ulaw).collect(),
            Format::Alaw => self.down.convert(samples).map(encode_alaw).collect(),
        };
        (!bytes.is_empty()).then(|| STANDARD.encode(bytes))
    }
}

/// Decodes the pieces of one item's audio: a piece may end within a sample.
#[derive(Debug)]
pub(crate) struct AudioDecoder {
    format: Format,
    half: Option<u8>,
    up: Upsampler,
    read: u64,
}

impl AudioDecoder {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, half: None, up: Upsampler::default(), read: 0 }
    }

    /// Decodes the samples, 24 kHz mono, that this piece completes; none if it is not base64.
    pub(crate) fn decode(&mut self, base64: &str) -> Vec<i16> {
        let piece = STANDARD.decode(base64).unwrap_or_default();
        let samples: Vec<i16> = match self.format {
            Format::Pcm => self.whole(piece),
            Format::Ulaw => self.up.convert(piece.into_iter().map(decode_ulaw)).collect(),
            Format::Alaw => self.up.convert(piece.into_iter().map(decode_alaw)).collect(),
        };
        self.read += samples.len() as u64;
        samples
    }

    /// Returns the duration of the audio decoded so far.
    pub(crate) fn received(&self) -> Duration {
        Duration::from_micros(self.read * 1_000_000 / u64::from(RATE))
    }

    fn whole(&mut self, mut piece: Vec<u8>) -> Vec<i16> {
        if let Some(half) = self.half.take() {
            piece.insert(0, half);
        }
        let (whole, rest) = piece.as_chunks();
        self.half = rest.first().copied();
        whole.iter().copied().map(i16::from_le_bytes).collect()
    }
}

fn little_endian(samples: &[i16]) -> Vec<u8> {
    let mut bytes = vec![0; 2 * samples.len()];
    for (pair, sample) in bytes.as_chunks_mut().0.iter_mut().zip(samples) {
        *pair = sample.to_le_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn samples_split_between_pieces_are_joined() {
        let text = AudioEncoder::new(Format::Pcm).encode(&[1, -2, 300]).expect("there is audio");
        let bytes = STANDARD.decode(text).expect("we just encoded it");
        let mut decoder = AudioDecoder::new(Format::Pcm);

        let heard: Vec<i16> = bytes.chunks(3).flat_map(|cut| decoder.decode(&STANDARD.encode(cut))).collect();

        assert_eq!(heard, [1, -2, 300]);
    }

    #[test]
    fn invalid_base64_decodes_to_no_audio() {
        assert!(AudioDecoder::new(Format::Pcm).decode("%%").is_empty());
    }

    #[test]
    fn a_tone_survives_g711_both_ways_and_keeps_its_length() {
        let tone: Vec<i16> =
            (0..4_800).map(|at| (8_000.0 * (TAU * 440.0 * f64::from(at) / 24_000.0).sin()) as i16).collect();
        for format in [Format::Ulaw, Format::Alaw] {
            let (mut encoder, mut decoder) = (AudioEncoder::new(format), AudioDecoder::new(format));

            // 101 samples at a time: not a multiple of three.
            let heard: Vec<i16> = tone
                .chunks(101)
                .filter_map(|cut| encoder.encode(cut))
                .flat_map(|text| decoder.decode(&text))
                .collect();

            assert_eq!((heard.len(), decoder.received()), (4_800, Duration::from_millis(200)));
            assert!(alike(&tone, &heard) > 0.99, "{format:?}: {}", alike(&tone, &heard));
        }
    }

    #[test]
    fn downsampling_does_not_alias_what_8_khz_cannot_carry() {
        let hiss: Vec<i16> = (0..4_800)
            .map(|at| (8_000.0 * (TAU * 7_000.0 * f64::from(at) / 24_000.0).sin()) as i16)
            .collect();
        let text = AudioEncoder::new(Format::Ulaw).encode(&hiss).expect("there is audio");

        let heard = AudioDecoder::new(Format::Ulaw).decode(&text);

        assert!(heard[200..].iter().all(|sample| sample.unsigned_abs() < 300));
    }

    /// Returns the best correlation over the filters' few samples of delay.
    fn alike(said: &[i16], heard: &[i16]) -> f64 {
        let dot = |a: &[i16], b: &[i16]| -> f64 {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let at = |delay: usize| {
            let (said, heard) = (&said[..said.len() - delay], &heard[delay..]);
            dot(said, heard) / (dot(said, said) * dot(heard, heard)).sqrt()
        };
        (0..120).map(at).fold(0.0, f64::max)
    }
}
