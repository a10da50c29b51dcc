//! Opus, with the media task's settings.

use super::{FRAMES, Part, SPOKEN, Stopwatch};
use opus::{Application, Bandwidth, Bitrate, Channels, Decoder, Encoder, Signal};
use sim_audio::{FRAME, RATE, clips};

/// The largest packet, bytes.
pub(super) const LARGEST: usize = 1_275;

pub(super) struct Decoding {
    decoder: Decoder,
    packets: Vec<Vec<u8>>,
    next: usize,
}

pub(super) struct Encoding {
    encoder: Encoder,
    speech: Vec<i16>,
    next: usize,
}

impl Decoding {
    pub(super) fn new() -> anyhow::Result<Self> {
        let decoder = Decoder::new(RATE, Channels::Mono)?;
        Ok(Self { decoder, packets: speech_packets()?, next: 0 })
    }
}

impl Part for Decoding {
    fn second(&mut self, watch: &mut Stopwatch) {
        let mut sound = [0; FRAME];
        watch.time(|| {
            for _ in 0..FRAMES {
                let packet = &self.packets[self.next % self.packets.len()];
                self.next += 1;
                let decoded = self.decoder.decode(packet, &mut sound, false);
                assert_eq!(decoded.expect("what was just encoded can be decoded"), FRAME);
            }
        });
    }
}

impl Encoding {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self { encoder: encoder()?, speech: clips::agent_monologue().samples, next: 0 })
    }
}

impl Part for Encoding {
    fn second(&mut self, watch: &mut Stopwatch) {
        let mut packet = [0; LARGEST];
        let frames = self.speech.chunks_exact(FRAME);
        let frames = frames.cycle().skip(self.next).take(SPOKEN).collect::<Vec<_>>();
        self.next = (self.next + SPOKEN) % (self.speech.len() / FRAME);
        watch.time(|| {
            for frame in frames {
                self.encoder.encode(frame, &mut packet).expect("a frame of 20 ms can be encoded");
            }
        });
    }
}

/// What a caller says, in packets.
pub(super) fn speech_packets() -> anyhow::Result<Vec<Vec<u8>>> {
    let (mut encoder, speech) = (encoder()?, clips::caller_monologue().samples);
    speech.chunks_exact(FRAME).map(|frame| Ok(encoder.encode_vec(frame, LARGEST)?)).collect()
}

/// As in `media-task/src/codec.rs`: mono, wideband, 20 kbit/s, for speech, complexity 5.
fn encoder() -> anyhow::Result<Encoder> {
    let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Voip)?;
    encoder.set_bitrate(Bitrate::Bits(20_000))?;
    encoder.set_max_bandwidth(Bandwidth::Wideband)?;
    encoder.set_bandwidth(Bandwidth::Wideband)?;
    encoder.set_signal(Signal::Voice)?;
    encoder.set_complexity(5)?;
    Ok(encoder)
}
