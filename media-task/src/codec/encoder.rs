//! Encodes the agent's voice, and rests while the agent is silent.

use super::RATE;
use audio::{EncoderSettings, Frame, SAMPLES};
use bytes::{Bytes, BytesMut};
use opus::{Application, Bandwidth, Bitrate, Channels, Encoder, Signal};
use std::sync::{Mutex, PoisonError};

/// So many frames of silence are encoded after speech, before a prepared packet takes their place: the encoder's
/// look-ahead holds the end of the last word, and its gain needs up to four frames to fall.
const LIVE_SILENCE: u32 = 5;

/// The largest packet, bytes. At 20 kbit/s a frame has about 50.
const LARGEST_PACKET: usize = 1_275;

/// Packets are cut from a piece of memory of this size, bytes, which is used again once they are sent.
const ROOM: usize = 4_096;

const SILENCE: Frame = [0; SAMPLES];

/// Encodes the agent's voice.
pub struct OpusEncoder {
    encoder: Encoder,
    settings: EncoderSettings,
    prepared: Bytes,
    silent_for: u32,
    last_toc: u8,
    room: BytesMut,
}

impl OpusEncoder {
    /// A fresh encoder: mono, wideband, for speech.
    pub fn new(settings: EncoderSettings) -> Self {
        Self {
            encoder: primed(settings),
            settings,
            prepared: prepared_silence(settings),
            silent_for: 0,
            last_toc: 0,
            room: BytesMut::with_capacity(ROOM),
        }
    }

    /// Encodes by other settings from the next frame on. After that, silence is encoded for a moment again.
    pub fn tune(&mut self, settings: EncoderSettings) {
        if settings == self.settings {
            return;
        }
        apply(&mut self.encoder, settings);
        self.settings = settings;
        self.prepared = prepared_silence(settings);
        self.silent_for = 0;
    }

    /// A packet of speech, or of silence. While the agent is silent the encoder does not run: encoding silence
    /// costs as much as encoding speech.
    pub fn say(&mut self, frame: Option<&Frame>) -> Bytes {
        let fits = self.prepared.first() == Some(&self.last_toc);
        if frame.is_none() && self.silent_for >= LIVE_SILENCE && fits {
            return self.prepared.clone();
        }
        self.silent_for = if frame.is_some() { 0 } else { self.silent_for + 1 };
        let mut packet = [0; LARGEST_PACKET];
        let length = encode(&mut self.encoder, frame.unwrap_or(&SILENCE), &mut packet);
        self.last_toc = packet[0];
        self.room.reserve(length.max(ROOM / 16));
        self.room.extend_from_slice(&packet[..length]);
        self.room.split().freeze()
    }
}

/// An encoder that has begun: a fresh one would speak with a narrower band for its first quarter of a second.
fn primed(settings: EncoderSettings) -> Encoder {
    let mut encoder =
        Encoder::new(RATE, Channels::Mono, Application::Voip).expect("libopus encodes at 24 kHz");
    let configured = encoder
        .set_max_bandwidth(Bandwidth::Wideband)
        .and_then(|()| encoder.set_bandwidth(Bandwidth::Wideband))
        .and_then(|()| encoder.set_signal(Signal::Voice));
    configured.expect("libopus takes these settings");
    apply(&mut encoder, settings);
    encode(&mut encoder, &SILENCE, &mut [0; LARGEST_PACKET]);
    encoder.reset_state().expect("an encoder can begin again");
    encoder
}

fn apply(encoder: &mut Encoder, settings: EncoderSettings) {
    let applied = encoder
        .set_bitrate(Bitrate::Bits(settings.bits_per_second as i32))
        .and_then(|()| encoder.set_complexity(i32::from(settings.complexity)))
        .and_then(|()| encoder.set_packet_loss_perc(i32::from(settings.loss_percent)))
        .and_then(|()| encoder.set_inband_fec(settings.fec));
    applied.expect("libopus takes these settings");
}

fn encode(encoder: &mut Encoder, frame: &Frame, packet: &mut [u8]) -> usize {
    encoder.encode(frame, packet).expect("a frame of 20 ms can be encoded")
}

/// A packet of silence that fits anywhere: what an encoder of these settings comes to after a second of it. It fits
/// only between packets of its own kind, which its first byte tells.
fn prepared_silence(settings: EncoderSettings) -> Bytes {
    static PREPARED: Mutex<Vec<(EncoderSettings, Bytes)>> = Mutex::new(Vec::new());
    // Only a change of settings comes here, and there are a dozen of them.
    let mut prepared = PREPARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, packet)) = prepared.iter().find(|(known, _)| *known == settings) {
        return packet.clone();
    }
    let (mut encoder, mut packet) = (primed(settings), [0; LARGEST_PACKET]);
    let lengths = (0..50).map(|_| encode(&mut encoder, &SILENCE, &mut packet));
    let length = lengths.last().expect("there are fifty of them");
    let packet = Bytes::copy_from_slice(&packet[..length]);
    prepared.push((settings, packet.clone()));
    packet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::OpusDecoder;
    use audio::DecodeStep;

    const PLAIN: EncoderSettings =
        EncoderSettings { bits_per_second: 20_000, complexity: 5, loss_percent: 0, fec: false };
    const CORRECTED: EncoderSettings =
        EncoderSettings { bits_per_second: 24_000, complexity: 5, loss_percent: 10, fec: true };

    #[test]
    fn what_is_said_is_heard() {
        let (mut mouth, mut ear, mut heard) = (OpusEncoder::new(PLAIN), OpusDecoder::new(), vec![]);

        for n in 0..50 {
            assert!(ear.hear(&DecodeStep::Decode(mouth.say(Some(&hum(n)))), &mut heard));
        }

        assert_eq!(heard.len(), 50 * SAMPLES);
        assert!(loudness(&heard[10 * SAMPLES..]) > 3_000.0);
    }

    #[test]
    fn long_silence_is_one_prepared_packet_and_decodes_to_silence_by_any_settings() {
        let narrower = EncoderSettings { bits_per_second: 20_000, ..CORRECTED };
        let late = EncoderSettings { complexity: 0, ..PLAIN };
        for settings in [PLAIN, CORRECTED, narrower, late] {
            let (mut mouth, mut ear, mut heard) = (OpusEncoder::new(settings), OpusDecoder::new(), vec![]);
            for n in 0..25 {
                ear.hear(&DecodeStep::Decode(mouth.say(Some(&hum(n)))), &mut heard);
            }
            heard.clear();

            let packets: Vec<Bytes> = (0..20).map(|_| mouth.say(None)).collect();

            let prepared = prepared_silence(settings);
            assert!(
                packets[LIVE_SILENCE as usize..].iter().all(|packet| *packet == prepared),
                "{settings:?}"
            );
            assert!(prepared.len() <= 10 && prepared[1] & 0xc0 == 0, "{} bytes", prepared.len());
            packets.into_iter().for_each(|packet| {
                ear.hear(&DecodeStep::Decode(packet), &mut heard);
            });
            assert!(loudness(&heard[6 * SAMPLES..]) < 2.0, "{settings:?}");
        }
    }

    #[test]
    fn other_settings_in_silence_are_encoded_for_a_moment_before_the_encoder_rests_again() {
        let mut mouth = OpusEncoder::new(PLAIN);
        (0..25).for_each(|n| drop(mouth.say(Some(&hum(n)))));
        (0..20).for_each(|_| drop(mouth.say(None)));

        mouth.tune(CORRECTED);
        let packets: Vec<Bytes> = (0..8).map(|_| mouth.say(None)).collect();

        assert!(packets.iter().all(|packet| packet[0] == packets[0][0]), "one kind of packet");
        assert_eq!(mouth.silent_for, LIVE_SILENCE);
        assert!(packets[5..].iter().all(|packet| *packet == prepared_silence(CORRECTED)));
    }

    fn hum(n: usize) -> Frame {
        std::array::from_fn(|s| (8_000.0 * ((n * SAMPLES + s) as f64 * 0.1).sin()) as i16)
    }

    fn loudness(samples: &[i16]) -> f64 {
        (samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }
}
