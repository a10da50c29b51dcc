//! Encodes the agent's audio to Opus, and sends one prepared packet of silence between speech as comfort noise.

use super::sample_rate::RATE;
use audio::{EncoderSettings, Frame, SAMPLES};
use bytes::{Bytes, BytesMut};
use opus::{Application, Bandwidth, Bitrate, Channels, Encoder, Signal};
use std::sync::{Mutex, PoisonError};

/// How many frames of silence are encoded after speech before the prepared packet replaces them: the encoder's look-ahead holds
/// the end of the last word, and its gain needs up to four frames to fall.
const LIVE_SILENCE: u32 = 5;

/// The largest packet, bytes. At 20 kbit/s a frame has about 50.
const MAX_PACKET_BYTES: usize = 1_275;

/// The size of the buffer that packets are cut from, bytes; it is reused once they are sent.
const BUFFER_BYTES: usize = 4_096;

const SILENCE: Frame = [0; SAMPLES];

/// An encoder of the agent's audio: 24 kHz, mono, wideband.
pub struct OpusEncoder {
    encoder: Encoder,
    settings: EncoderSettings,
    prepared: Bytes,
    silent_frames: u32,
    last_toc: u8,
    buffer: BytesMut,
}

impl OpusEncoder {
    /// Returns an encoder with these settings, tuned for speech.
    pub fn new(settings: EncoderSettings) -> Self {
        Self {
            encoder: primed(settings),
            settings,
            prepared: silence_packet(settings),
            silent_frames: 0,
            last_toc: 0,
            buffer: BytesMut::with_capacity(BUFFER_BYTES),
        }
    }

    /// Applies other settings from the next frame on. Silence is then encoded for a few frames again.
    pub fn tune(&mut self, settings: EncoderSettings) {
        if settings == self.settings {
            return;
        }
        apply(&mut self.encoder, settings);
        self.settings = settings;
        self.prepared = silence_packet(settings);
        self.silent_frames = 0;
    }

    /// Returns the packet of a frame of speech, or of silence for `None`. During longer silence the encoder does not run: encoding
    /// silence costs as much as encoding speech.
    pub fn encode(&mut self, frame: Option<&Frame>) -> Bytes {
        let fits = self.prepared.first() == Some(&self.last_toc);
        if frame.is_none() && self.silent_frames >= LIVE_SILENCE && fits {
            return self.prepared.clone();
        }
        self.silent_frames = if frame.is_some() { 0 } else { self.silent_frames + 1 };
        let mut packet = [0; MAX_PACKET_BYTES];
        let length = encode(&mut self.encoder, frame.unwrap_or(&SILENCE), &mut packet);
        self.last_toc = packet[0];
        self.buffer.reserve(length.max(BUFFER_BYTES / 16));
        self.buffer.extend_from_slice(&packet[..length]);
        self.buffer.split().freeze()
    }
}

/// Returns an encoder that has encoded a frame already: a fresh one uses a narrower band for its first quarter of a second.
fn primed(settings: EncoderSettings) -> Encoder {
    let mut encoder =
        Encoder::new(RATE, Channels::Mono, Application::Voip).expect("libopus encodes at 24 kHz");
    let configured = encoder
        .set_max_bandwidth(Bandwidth::Wideband)
        .and_then(|()| encoder.set_bandwidth(Bandwidth::Wideband))
        .and_then(|()| encoder.set_signal(Signal::Voice));
    configured.expect("libopus takes these settings");
    apply(&mut encoder, settings);
    encode(&mut encoder, &SILENCE, &mut [0; MAX_PACKET_BYTES]);
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

/// Returns the packet that an encoder with these settings produces after a second of silence. It may only follow packets with the
/// same TOC byte.
fn silence_packet(settings: EncoderSettings) -> Bytes {
    static PREPARED: Mutex<Vec<(EncoderSettings, Bytes)>> = Mutex::new(Vec::new());
    // Taken only on a change of settings, of which there are a dozen.
    let mut prepared = PREPARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, packet)) = prepared.iter().find(|(known, _)| *known == settings) {
        return packet.clone();
    }
    let (mut encoder, mut packet) = (primed(settings), [0; MAX_PACKET_BYTES]);
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
    fn encoded_speech_decodes_to_speech() {
        let (mut encoder, mut decoder, mut heard) = (OpusEncoder::new(PLAIN), OpusDecoder::new(), vec![]);

        for n in 0..50 {
            assert!(decoder.decode(&DecodeStep::Decode(encoder.encode(Some(&hum(n)))), &mut heard));
        }

        assert_eq!(heard.len(), 50 * SAMPLES);
        assert!(loudness(&heard[10 * SAMPLES..]) > 3_000.0);
    }

    #[test]
    fn long_silence_is_one_prepared_packet_with_any_settings() {
        let narrower = EncoderSettings { bits_per_second: 20_000, ..CORRECTED };
        let late = EncoderSettings { complexity: 0, ..PLAIN };
        for settings in [PLAIN, CORRECTED, narrower, late] {
            let (mut encoder, mut decoder, mut heard) =
                (OpusEncoder::new(settings), OpusDecoder::new(), vec![]);
            for n in 0..25 {
                decoder.decode(&DecodeStep::Decode(encoder.encode(Some(&hum(n)))), &mut heard);
            }
            heard.clear();

            let packets: Vec<Bytes> = (0..20).map(|_| encoder.encode(None)).collect();

            let prepared = silence_packet(settings);
            assert!(
                packets[LIVE_SILENCE as usize..].iter().all(|packet| *packet == prepared),
                "{settings:?}"
            );
            assert!(prepared.len() <= 10 && prepared[1] & 0xc0 == 0, "{} bytes", prepared.len());
            packets.into_iter().for_each(|packet| {
                decoder.decode(&DecodeStep::Decode(packet), &mut heard);
            });
            assert!(loudness(&heard[6 * SAMPLES..]) < 2.0, "{settings:?}");
        }
    }

    #[test]
    fn new_settings_in_silence_are_encoded_before_the_prepared_packet() {
        let mut encoder = OpusEncoder::new(PLAIN);
        (0..25).for_each(|n| drop(encoder.encode(Some(&hum(n)))));
        (0..20).for_each(|_| drop(encoder.encode(None)));

        encoder.tune(CORRECTED);
        let packets: Vec<Bytes> = (0..8).map(|_| encoder.encode(None)).collect();

        assert!(packets.iter().all(|packet| packet[0] == packets[0][0]), "one kind of packet");
        assert_eq!(encoder.silent_frames, LIVE_SILENCE);
        assert!(packets[5..].iter().all(|packet| *packet == silence_packet(CORRECTED)));
    }

    fn hum(n: usize) -> Frame {
        std::array::from_fn(|s| (8_000.0 * ((n * SAMPLES + s) as f64 * 0.1).sin()) as i16)
    }

    fn loudness(samples: &[i16]) -> f64 {
        (samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }
}
