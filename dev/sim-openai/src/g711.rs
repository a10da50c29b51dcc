//! G.711: one byte for one sample, by the µ-law of North America or the A-law of elsewhere (ITU-T G.711).

const MULAW_BIAS: i32 = 0x84;
const MULAW_LOUDEST: i32 = 32_635;

pub(crate) fn mulaw_decode(code: u8) -> i16 {
    let code = !code;
    let magnitude = ((i32::from(code & 0x0F) << 3) + MULAW_BIAS) << ((code & 0x70) >> 4);
    signed(magnitude - MULAW_BIAS, code & 0x80 != 0)
}

pub(crate) fn mulaw_encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(MULAW_LOUDEST) + MULAW_BIAS;
    let segment = magnitude.ilog2() - 7;
    let step = (magnitude >> (segment + 3)) & 0x0F;
    !(sign | ((segment as u8) << 4) | step as u8)
}

pub(crate) fn alaw_decode(code: u8) -> i16 {
    let code = code ^ 0x55;
    let step = i32::from(code & 0x0F) << 4;
    let magnitude = match (code & 0x70) >> 4 {
        0 => step + 0x08,
        segment => (step + 0x108) << (segment - 1),
    };
    signed(magnitude, code & 0x80 == 0)
}

pub(crate) fn alaw_encode(sample: i16) -> u8 {
    let (mask, magnitude) = match i32::from(sample) {
        s if s >= 0 => (0xD5, s >> 3),
        s => (0x55, (-s - 1) >> 3),
    };
    let segment = (magnitude | 0x1F).ilog2() - 4;
    let step = (magnitude >> segment.max(1)) & 0x0F;
    (((segment as u8) << 4) | step as u8) ^ mask
}

fn signed(magnitude: i32, negative: bool) -> i16 {
    let sample = if negative { -magnitude } else { magnitude };
    sample as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_middle_of_both_laws_are_as_the_standard_says() {
        assert_eq!([0xFF, 0x80, 0x00].map(mulaw_decode), [0, 32_124, -32_124]);
        assert_eq!([0xD5, 0x55, 0xAA, 0x2A].map(alaw_decode), [8, -8, 32_256, -32_256]);
    }

    #[test]
    fn every_code_survives_decoding_and_encoding() {
        const NEGATIVE_ZERO: u8 = 0x7F;
        for code in 0..=u8::MAX {
            assert_eq!(alaw_encode(alaw_decode(code)), code);
            if code != NEGATIVE_ZERO {
                assert_eq!(mulaw_encode(mulaw_decode(code)), code);
            }
        }
    }

    #[test]
    fn the_loudest_samples_stay_loud() {
        assert_eq!([i16::MAX, i16::MIN].map(mulaw_encode), [0x80, 0x00]);
        assert_eq!([i16::MAX, i16::MIN].map(alaw_encode), [0xAA, 0x2A]);
    }
}
