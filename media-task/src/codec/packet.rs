//! What can be told of an Opus packet without decoding it.

use super::RATE;
use audio::Sound;
use bytes::Bytes;

/// A packet's length, and whether it holds a copy of the one before it. Nothing if it is no Opus.
pub fn read(payload: Bytes) -> Option<Sound<Bytes>> {
    // The loss that an empty packet would mean to the decoder is not the sender's to declare.
    let samples = opus::packet::get_nb_samples(&payload, RATE).ok().filter(|_| !payload.is_empty())?;
    let corrects = corrects(&payload);
    Some(Sound { payload, samples, corrects })
}

/// Whether a packet has low bit-rate redundancy (RFC 6716, 4.2.4): after the flags of voice activity, one for each 20 ms,
/// SILK's header has a flag for it.
fn corrects(packet: &[u8]) -> bool {
    let [toc, header, ..] = *packet else { return false };
    let (config, is_stereo) = (toc >> 3, toc & 0b100 != 0);
    let frames = match config {
        0..12 => [1, 1, 2, 3][usize::from(config % 4)],
        12..16 => 1,
        // CELT corrects nothing.
        _ => return false,
    };
    // Where lengths come before the first of several frames, its header is further on.
    let has_lengths = toc & 0b11 > 1;
    let header = if has_lengths { first_of_several(packet) } else { Some(header) };
    header.is_some_and(|header| has_flag(header, frames, is_stereo))
}

fn first_of_several(packet: &[u8]) -> Option<u8> {
    let parsed = opus::packet::parse(packet).ok()?;
    parsed.frames.first()?.first().copied()
}

/// The flag of the middle channel, or, of stereo, that of the side channel.
fn has_flag(header: u8, frames: u32, is_stereo: bool) -> bool {
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
    fn a_packet_says_whether_it_corrects_the_one_before_it() {
        let plain = EncoderSettings { bits_per_second: 24_000, complexity: 5, loss_percent: 0, fec: false };
        let corrected = EncoderSettings { loss_percent: 10, fec: true, ..plain };
        let share = |settings| {
            let mut mouth = OpusEncoder::new(settings);
            let all = (0..50).map(|n| read(mouth.say(Some(&hum(n)))).expect("it is Opus"));
            all.filter(|sound| sound.samples == SAMPLES && sound.corrects).count()
        };

        assert_eq!(share(plain), 0);
        assert!(share(corrected) > 20, "{}", share(corrected));
    }

    #[test]
    fn what_is_no_opus_is_not_read() {
        assert_eq!(read(Bytes::new()), None);
        // 48 frames of 20 ms are not a packet.
        assert_eq!(read(Bytes::from_static(&[0b0000_1011, 48, 1, 2])), None);
    }

    fn hum(n: usize) -> audio::Frame {
        std::array::from_fn(|s| (8_000.0 * ((n * SAMPLES + s) as f64 * 0.1).sin()) as i16)
    }
}
