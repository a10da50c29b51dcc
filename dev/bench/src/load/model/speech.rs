//! The agent's voice, cut and serialised once for all sessions.

use super::Rhythm;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sim_audio::{FRAME, clips, level, samples};
use std::time::Duration;

/// The lengths of a reply's pieces, repeated. Real ones have any length, and are no multiple of a frame.
const PIECES_MS: [f64; 5] = [120.3, 310.7, 199.1, 151.9, 250.5];

/// A reply, ready to be sent to any session.
#[derive(Debug)]
pub(crate) struct Speech {
    pub(crate) pieces: Vec<Piece>,
}

/// A part of a reply.
#[derive(Debug)]
pub(crate) struct Piece {
    /// When it is sent, after the beginning of the reply.
    pub(crate) after: Duration,
    /// Its sound, in base64.
    pub(crate) audio: String,
}

impl Speech {
    /// The speech of this rhythm. Its first sample is loud, so that its arrival can be detected exactly.
    pub(crate) fn of(rhythm: &Rhythm) -> Self {
        let clip = clips::agent_long();
        let mut frames = clip.samples.chunks_exact(FRAME);
        let loud = frames.position(|frame| level::dbfs(frame) > -30.0).unwrap_or(0);
        let sound = clip.samples.iter().skip(loud * FRAME).cycle().take(samples(rhythm.reply));
        let sound: Vec<u8> = sound.flat_map(|sample| sample.to_le_bytes()).collect();
        let (mut rest, mut after, mut pieces) = (sound.as_slice(), Duration::ZERO, vec![]);
        for ms in PIECES_MS.iter().cycle() {
            let length = Duration::from_secs_f64(ms / 1_000.0);
            let (piece, others) = rest.split_at(rest.len().min(samples(length) * 2));
            if piece.is_empty() {
                break;
            }
            pieces.push(Piece { after, audio: BASE64.encode(piece) });
            after += length.div_f64(rhythm.pace);
            rest = others;
        }
        Self { pieces }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_has_its_length_and_is_sent_faster() {
        let rhythm = Rhythm::default();

        let speech = Speech::of(&rhythm);

        let bytes: usize = speech.pieces.iter().map(|piece| BASE64.decode(&piece.audio).unwrap().len()).sum();
        assert_eq!(sim_audio::duration(bytes / 2), rhythm.reply);
        let last = speech.pieces.last().unwrap().after;
        assert!(last < rhythm.reply / 5, "{last:?}");
    }
}
