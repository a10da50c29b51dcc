//! Decodes the caller's voice, and makes up what is missing of it.

use super::RATE;
use audio::{DecodeStep, SAMPLES};
use opus::{Channels, Decoder};

/// The most that one packet, or what stands for it, holds: 120 ms.
const LONGEST: usize = 6 * SAMPLES;

/// What libopus makes up comes in steps of 2.5 ms.
const STEP: usize = SAMPLES / 8;

/// Decodes the caller's voice.
pub struct OpusDecoder {
    decoder: Decoder,
}

impl OpusDecoder {
    /// A fresh decoder.
    pub fn new() -> Self {
        Self { decoder: Decoder::new(RATE, Channels::Mono).expect("libopus decodes at 24 kHz") }
    }

    /// Adds a piece of sound to what was heard, 24 kHz. Whether it could be read: a broken packet is 20 ms of silence.
    pub fn hear(&mut self, slot: &DecodeStep<impl AsRef<[u8]>>, heard: &mut Vec<i16>) -> bool {
        match slot {
            DecodeStep::Decode(packet) => self.decode(packet.as_ref(), heard),
            DecodeStep::Recover(packet, samples) => self.make_up(packet.as_ref(), *samples, heard),
            DecodeStep::Conceal(samples) => self.make_up(&[], *samples, heard),
            DecodeStep::Silence(samples) => {
                heard.resize(heard.len() + samples, 0);
                true
            }
        }
    }

    fn decode(&mut self, packet: &[u8], heard: &mut Vec<i16>) -> bool {
        let start = heard.len();
        heard.resize(start + LONGEST, 0);
        let decoded = self.decoder.decode(packet, &mut heard[start..], false);
        let count = *decoded.as_ref().unwrap_or(&SAMPLES);
        if decoded.is_err() {
            heard[start..start + SAMPLES].fill(0);
        }
        heard.truncate(start + count);
        decoded.is_ok()
    }

    /// What came before a packet, from its error correction; or, of an empty one, from what came before that.
    fn make_up(&mut self, packet: &[u8], samples: usize, heard: &mut Vec<i16>) -> bool {
        let start = heard.len();
        heard.resize(start + samples, 0);
        let whole = (samples - samples % STEP).min(LONGEST);
        if whole == 0 {
            return true;
        }
        let room = &mut heard[start..start + whole];
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
    fn garbage_is_silence_of_one_frame_and_is_told() {
        let (mut ear, mut heard) = (OpusDecoder::new(), vec![]);

        assert!(!ear.hear(&DecodeStep::Decode([0xff; 3]), &mut heard));

        assert_eq!(heard, [0; SAMPLES]);
    }

    #[test]
    fn whatever_is_made_up_is_as_long_as_what_is_missing() {
        for samples in [0, 1, STEP, SAMPLES, SAMPLES + 7, 6 * SAMPLES, 9 * SAMPLES] {
            let (mut ear, mut heard) = (OpusDecoder::new(), vec![]);

            ear.hear(&DecodeStep::<[u8; 0]>::Conceal(samples), &mut heard);
            ear.hear(&DecodeStep::Recover([0x48, 0xff, 0xfe], samples), &mut heard);
            ear.hear(&DecodeStep::<[u8; 0]>::Silence(samples), &mut heard);

            assert_eq!(heard.len(), 3 * samples);
        }
    }
}
