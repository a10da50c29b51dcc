//! Decodes the caller's Opus packets, and recovers or conceals missing ones (FEC, packet loss concealment).

use super::sample_rate::RATE;
use audio::{DecodeStep, SAMPLES};
use opus::{Channels, Decoder};

/// The longest packet, samples: 120 ms.
const MAX_SAMPLES: usize = 6 * SAMPLES;

/// libopus conceals in steps of 2.5 ms, here in samples.
const CONCEAL_STEP: usize = SAMPLES / 8;

/// A decoder of the caller's audio: 24 kHz, mono.
pub struct OpusDecoder {
    decoder: Decoder,
}

impl OpusDecoder {
    /// Returns a decoder without history.
    pub fn new() -> Self {
        Self { decoder: Decoder::new(RATE, Channels::Mono).expect("libopus decodes at 24 kHz") }
    }

    /// Appends the samples of one decode step to `pcm`, and returns whether the packet could be decoded. A broken packet becomes 20 ms
    /// of silence.
    pub fn decode(&mut self, step: &DecodeStep<impl AsRef<[u8]>>, pcm: &mut Vec<i16>) -> bool {
        match step {
            DecodeStep::Decode(packet) => self.decode_packet(packet.as_ref(), pcm),
            DecodeStep::Recover(packet, samples) => self.conceal(packet.as_ref(), *samples, pcm),
            DecodeStep::Conceal(samples) => self.conceal(&[], *samples, pcm),
            DecodeStep::Silence(samples) => {
                pcm.resize(pcm.len() + samples, 0);
                true
            }
        }
    }

    fn decode_packet(&mut self, packet: &[u8], pcm: &mut Vec<i16>) -> bool {
        let start = pcm.len();
        pcm.resize(start + MAX_SAMPLES, 0);
        let decoded = self.decoder.decode(packet, &mut pcm[start..], false);
        let count = *decoded.as_ref().unwrap_or(&SAMPLES);
        if decoded.is_err() {
            pcm[start..start + SAMPLES].fill(0);
        }
        pcm.truncate(start + count);
        decoded.is_ok()
    }

    /// Appends what is missing before a packet, from the packet's FEC; for an empty packet, from the decoder's history.
    fn conceal(&mut self, packet: &[u8], samples: usize, pcm: &mut Vec<i16>) -> bool {
        let start = pcm.len();
        pcm.resize(start + samples, 0);
        let whole = (samples - samples % CONCEAL_STEP).min(MAX_SAMPLES);
        if whole == 0 {
            return true;
        }
        let room = &mut pcm[start..start + whole];
        let made = self.decoder.decode(packet, room, !packet.is_empty());
        if made.is_err() {
            room.fill(0);
        }
        made.is_ok()
    }
}

impl Default for OpusDecoder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_packet_is_reported_and_becomes_one_silent_frame() {
        let (mut decoder, mut pcm) = (OpusDecoder::new(), vec![]);

        assert!(!decoder.decode(&DecodeStep::Decode([0xff; 3]), &mut pcm));

        assert_eq!(pcm, [0; SAMPLES]);
    }

    #[test]
    fn concealment_is_as_long_as_the_gap() {
        for samples in [0, 1, CONCEAL_STEP, SAMPLES, SAMPLES + 7, 6 * SAMPLES, 9 * SAMPLES] {
            let (mut decoder, mut pcm) = (OpusDecoder::new(), vec![]);

            decoder.decode(&DecodeStep::<[u8; 0]>::Conceal(samples), &mut pcm);
            decoder.decode(&DecodeStep::Recover([0x48, 0xff, 0xfe], samples), &mut pcm);
            decoder.decode(&DecodeStep::<[u8; 0]>::Silence(samples), &mut pcm);

            assert_eq!(pcm.len(), 3 * samples);
        }
    }
}
