//! Sound as the Realtime API carries it: base64 of 16-bit little-endian samples, cut anywhere.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Samples as base64.
pub(crate) fn to_base64(samples: &[i16]) -> String {
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

/// Puts the pieces of one item's sound together: a piece may end within a sample.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    half: Option<u8>,
}

impl Pieces {
    /// The samples that are whole with this piece; none if it is not base64.
    pub(crate) fn add(&mut self, base64: &str) -> Vec<i16> {
        let piece = STANDARD.decode(base64).unwrap_or_default();
        let bytes: Vec<u8> = self.half.take().into_iter().chain(piece).collect();
        let whole = bytes.chunks_exact(2);
        self.half = whole.remainder().first().copied();
        whole.map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_cut_in_half_are_put_together() {
        let bytes = STANDARD.decode(to_base64(&[1, -2, 300])).expect("we just encoded it");
        let mut pieces = Pieces::default();

        let heard: Vec<i16> = bytes.chunks(3).flat_map(|cut| pieces.add(&STANDARD.encode(cut))).collect();

        assert_eq!(heard, [1, -2, 300]);
    }

    #[test]
    fn what_is_not_base64_is_no_sound() {
        assert!(Pieces::default().add("%%").is_empty());
    }
}
