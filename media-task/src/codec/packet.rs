//! Reads an Opus packet's duration and whether it carries FEC, without decoding it.

use super::sample_rate::RATE;
use audio::Sound;
use bytes::Bytes;

/// Returns a packet's duration and whether it has FEC for the one before it; `None` if it is not Opus.
pub fn inspect(payload: Bytes) -> Option<Sound<Bytes>> {
    // To the decoder, an empty packet means loss; a sender must not be able to declare that.
    let samples = opus::packet::get_nb_samples(&payload, RATE).ok().filter(|_| !payload.is_empty())?;
    let corrects = has_fec(&payload);
    Some(Sound { payload, samples, corrects })
}

/// Whether a packet has in-band FEC, low bit-rate redundancy (RFC 6716, section 4.2.4): SILK's header has a flag for it after the
/// flags of voice activity, one for each 20 ms.
fn has_fec(packet: &[u8]) -> bool {
    let [toc, header, ..] = *packet else { return false };
    let (config, is_stereo) = (toc >> 3, toc & 0b100 != 0);
    let frames = match config {
        0..12 => [1, 1, 2, 3][usize::from(config % 4)],
        12..16 => 1,
        // CELT has no FEC.
        _ => return false,
    };
    // If lengths come before the first of several frames, its header is further on.
    let has_lengths = toc & 0b11 > 1;
    let header = if has_lengths { first_frame_header(packet) } else { Some(header) };
    header.is_some_and(|header| has_lbrr_flag(header, frames, is_stereo))
}

fn first_frame_header(packet: &[u8]) -> Option<u8> {
    let parsed = opus::packet::parse(packet).ok()?;
    parsed.frames.first()?.first().copied()
}

/// Whether the LBRR flag of the mid channel is set or, in stereo, that of the side channel.
fn has_lbrr_flag(header: u8, frames: u32, is_stereo: bool) -> bool {
    let middle = header >> (7 - frames) & 1 == 1;
    let side = is_stereo && header >> (6 - 2 * frames) & 1 == 1;
    middle || side
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::OpusEncoder;
    use audio::{EncoderSettings, SAMPLES};

    #[test]
    fn packets_with_fec_are_recognised() {
        let plain = EncoderSettings { bits_per_second: 24_000, complexity: 5, loss_percent: 0, fec: false };
        let corrected = EncoderSettings { loss_percent: 10, fec: true, ..plain };
        let share = |settings| {
            let mut encoder = OpusEncoder::new(settings);
            let all = (0..50).map(|n| inspect(encoder.encode(Some(&hum(n)))).expect("it is Opus"));
            all.filter(|sound| sound.samples == SAMPLES && sound.corrects).count()
        };

        assert_eq!(share(plain), 0);
        assert!(share(corrected) > 20, "{}", share(corrected));
    }

    #[test]
    fn packets_that_are_not_opus_are_refused() {
        assert_eq!(inspect(Bytes::new()), None);
        // 48 frames of 20 ms are not a packet.
        assert_eq!(inspect(Bytes::from_static(&[0b0000_1011, 48, 1, 2])), None);
    }

    fn hum(n: usize) -> audio::Frame {
        std::array::from_fn(|s| (8_000.0 * ((n * SAMPLES + s) as f64 * 0.1).sin()) as i16)
    }
}
