//! Opus, both ways, at 24 kHz: no resampler. RTP's clock is 48 kHz all the same.

use bridge::{Frame, SAMPLES};
use bytes::Bytes;
use opus::{Application, Bandwidth, Bitrate, Channels, Decoder, Encoder, Signal};
use std::sync::OnceLock;

const RATE: u32 = 24_000;

/// What Meta's offer allows: `maxaveragebitrate=20000`.
const BITS_PER_SECOND: i32 = 20_000;

/// 0 to 10. At 5 a frame of speech costs about 0.15 ms.
const COMPLEXITY: i32 = 5;

/// So many frames of silence are encoded after speech, before a prepared packet takes their place: the encoder's
/// look-ahead holds the end of the last word, and its gain needs up to four frames to fall.
const LIVE_SILENCE: u32 = 5;

/// The largest packet, bytes. At 20 kbit/s a frame has about 50.
const LARGEST_PACKET: usize = 1_275;

/// A broken packet is silence; so is a frame that nobody can make up.
const SILENCE: Frame = [0; SAMPLES];

/// Encodes the agent's voice.
pub struct Mouth {
    encoder: Encoder,
    silent_for: u32,
    last_toc: u8,
}

impl Mouth {
    /// A fresh encoder: mono, wideband, 20 kbit/s, for speech.
    pub fn new() -> Self {
        Self { encoder: encoder(), silent_for: 0, last_toc: 0 }
    }

    /// A packet of speech, or of silence. While the agent is silent the encoder does not run: encoding silence
    /// costs as much as encoding speech.
    pub fn say(&mut self, frame: Option<&Frame>) -> Bytes {
        if frame.is_none() && self.silent_for >= LIVE_SILENCE && self.last_toc == prepared_silence()[0] {
            return prepared_silence().clone();
        }
        self.silent_for = if frame.is_some() { 0 } else { self.silent_for + 1 };
        let packet = encode(&mut self.encoder, frame.unwrap_or(&SILENCE));
        self.last_toc = packet.first().copied().unwrap_or_default();
        packet
    }
}

impl Default for Mouth {
    fn default() -> Self {
        Self::new()
    }
}

/// Decodes the caller's voice.
pub struct Ear {
    decoder: Decoder,
}

impl Ear {
    /// A fresh decoder.
    pub fn new() -> Self {
        Self { decoder: Decoder::new(RATE, Channels::Mono).expect("libopus decodes at 24 kHz") }
    }

    /// Decodes a packet.
    pub fn hear(&mut self, packet: &[u8]) -> Vec<i16> {
        self.decode(packet, false)
    }

    /// Recovers the frame before this packet from its error correction.
    pub fn recover(&mut self, packet: &[u8]) -> Vec<i16> {
        self.decode(packet, true)
    }

    /// Makes up a frame from what came before.
    pub fn conceal(&mut self) -> Vec<i16> {
        self.decode(&[], false)
    }

    fn decode(&mut self, packet: &[u8], fec: bool) -> Vec<i16> {
        // Up to 120 ms in a packet; what is made up or recovered is one frame.
        let room = if packet.is_empty() || fec { SAMPLES } else { 6 * SAMPLES };
        let mut samples = vec![0; room];
        match self.decoder.decode(packet, &mut samples, fec) {
            Ok(count) => samples.truncate(count),
            Err(_) => samples = SILENCE.to_vec(),
        }
        samples
    }
}

impl Default for Ear {
    fn default() -> Self {
        Self::new()
    }
}

fn encoder() -> Encoder {
    let mut encoder =
        Encoder::new(RATE, Channels::Mono, Application::Voip).expect("libopus encodes at 24 kHz");
    let configured = encoder
        .set_bitrate(Bitrate::Bits(BITS_PER_SECOND))
        .and_then(|()| encoder.set_max_bandwidth(Bandwidth::Wideband))
        .and_then(|()| encoder.set_bandwidth(Bandwidth::Wideband))
        .and_then(|()| encoder.set_signal(Signal::Voice))
        .and_then(|()| encoder.set_complexity(COMPLEXITY));
    configured.expect("libopus takes these settings");
    encoder
}

fn encode(encoder: &mut Encoder, frame: &Frame) -> Bytes {
    let packet = encoder.encode_vec(frame, LARGEST_PACKET);
    Bytes::from(packet.expect("a frame of 20 ms can be encoded"))
}

/// A packet of silence that fits anywhere: what an encoder of these settings comes to after a second of it.
fn prepared_silence() -> &'static Bytes {
    static PREPARED: OnceLock<Bytes> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let mut encoder = encoder();
        let packets = (0..50).map(|_| encode(&mut encoder, &SILENCE));
        packets.last().expect("there are fifty of them")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard() {
        let (mut mouth, mut ear) = (Mouth::new(), Ear::new());

        let heard: Vec<i16> = (0..50).flat_map(|n| ear.hear(&mouth.say(Some(&hum(n))))).collect();

        assert_eq!(heard.len(), 50 * SAMPLES);
        assert!(loudness(&heard[10 * SAMPLES..]) > 3_000.0);
    }

    #[test]
    fn long_silence_is_one_prepared_packet_and_decodes_to_silence() {
        let (mut mouth, mut ear) = (Mouth::new(), Ear::new());
        for n in 0..25 {
            ear.hear(&mouth.say(Some(&hum(n))));
        }

        let packets: Vec<Bytes> = (0..20).map(|_| mouth.say(None)).collect();

        assert!(packets[LIVE_SILENCE as usize..].iter().all(|packet| packet == prepared_silence()));
        assert!(prepared_silence().len() <= 10, "{} bytes", prepared_silence().len());
        let heard: Vec<i16> = packets.iter().flat_map(|packet| ear.hear(packet)).collect();
        assert!(loudness(&heard[6 * SAMPLES..]) < 2.0);
    }

    #[test]
    fn garbage_is_silence_of_one_frame() {
        assert_eq!(Ear::new().hear(&[0xff; 3]).len(), SAMPLES);
        assert_eq!(Ear::new().conceal().len(), SAMPLES);
    }

    fn hum(n: usize) -> Frame {
        std::array::from_fn(|s| (8_000.0 * ((n * SAMPLES + s) as f64 * 0.1).sin()) as i16)
    }

    fn loudness(samples: &[i16]) -> f64 {
        (samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }
}
