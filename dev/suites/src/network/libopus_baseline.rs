//! The same speech through libopus alone: no network, no product, one encoder and one decoder.

use super::scenario::{agents_pieces, callers_pieces, part};
use opus::{Application, Bandwidth, Bitrate, Channels, Decoder, Encoder, Signal};
use sim_audio::{Clip, FRAME, RATE};

const LARGEST_PACKET: usize = 1_275;
const COMPLEXITY: i32 = 5;

/// Both parts of the conversation, encoded and decoded; nothing of it gets lost.
#[derive(Debug)]
pub(super) struct LibopusBaseline {
    /// The caller's part, as a phone that protects against loss sends it: 24 kbit/s, 30 % loss expected.
    pub(super) up: Vec<i16>,
    /// The agent's part, at the 20 kbit/s that Meta's offer asks for.
    pub(super) down: Vec<i16>,
    /// The same with error correction in it, as for a line that loses something.
    pub(super) corrected: Vec<i16>,
}

impl LibopusBaseline {
    /// Encodes and decodes both.
    pub(super) fn encode() -> anyhow::Result<Self> {
        Ok(Self {
            up: through_opus(&part(&callers_pieces()), 24_000, Some(30))?,
            down: through_opus(&part(&agents_pieces()), 20_000, None)?,
            corrected: through_opus(&part(&agents_pieces()), 20_000, Some(10))?,
        })
    }
}

fn through_opus(clip: &Clip, bits_per_second: i32, loss: Option<i32>) -> Result<Vec<i16>, opus::Error> {
    let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Voip)?;
    encoder.set_bitrate(Bitrate::Bits(bits_per_second))?;
    encoder.set_max_bandwidth(Bandwidth::Wideband)?;
    encoder.set_signal(Signal::Voice)?;
    encoder.set_complexity(COMPLEXITY)?;
    if let Some(percent) = loss {
        encoder.set_inband_fec(true)?;
        encoder.set_packet_loss_perc(percent)?;
    }
    let mut decoder = Decoder::new(RATE, Channels::Mono)?;
    let mut heard = Vec::with_capacity(clip.samples.len());
    // After the last word the encoder's look-ahead still holds its end.
    let silence = [0; 5 * FRAME];
    let said: Vec<i16> = clip.samples.iter().chain(&silence).copied().collect();
    for frame in said.chunks_exact(FRAME) {
        let packet = encoder.encode_vec(frame, LARGEST_PACKET)?;
        let mut samples = [0; FRAME];
        decoder.decode(&packet, &mut samples, false)?;
        heard.extend(samples);
    }
    Ok(heard)
}
