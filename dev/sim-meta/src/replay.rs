//! Speech of many callers: packets that are encoded once, for all of them.

use crate::relay::{Microphone, PACE, Payload};
use opus::{Channels, Decoder};
use sim_audio::onset::Onsets;
use sim_audio::{Clip, FRAME};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The silence after each sentence, as a multiple of its length: the caller speaks less than half of the time.
const SILENCE: f64 = 1.2;

/// Packets of speech and silence, to be sent over and over.
#[derive(Debug)]
pub struct Replay {
    packets: Vec<Encoded>,
}

/// A packet, ready to be sent.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) payload: Vec<u8>,
    /// Whether speech begins with it, for its decoder.
    pub(crate) is_onset: bool,
}

/// A caller's place in a replay that is shared.
#[derive(Debug, Clone)]
pub struct Replaying {
    pub(crate) replay: Arc<Replay>,
    pub(crate) from: usize,
}

impl Replay {
    /// Encodes these sentences, with silences after them.
    pub fn of(clips: &[Clip]) -> anyhow::Result<Replay> {
        let mut microphone = Microphone::new()?;
        let start = Instant::now();
        microphone.open(start);
        let mut frames = 0;
        for clip in clips {
            let spoken = clip.samples.len().div_ceil(FRAME);
            let mut clip = clip.clone();
            clip.samples.resize(spoken * FRAME, 0);
            clip.samples.extend(vec![0; (spoken as f64 * SILENCE) as usize * FRAME]);
            frames += clip.samples.len() / FRAME;
            microphone.say(clip);
        }
        let (mut decoder, mut onsets) = (Decoder::new(sim_audio::RATE, Channels::Mono)?, Onsets::default());
        let mut packets = Vec::with_capacity(frames);
        for n in 0..frames as u32 {
            let packet = microphone.poll_packet(start + PACE * n).and_then(|packet| packet.payload);
            let Some(Payload::Voice(payload)) = packet else { continue };
            let mut sound = [0; FRAME];
            decoder.decode(&payload, &mut sound, false)?;
            packets.push(Encoded { payload, is_onset: onsets.is_in(&sound) });
        }
        Ok(Replay { packets })
    }

    /// How long it is before it begins again.
    pub fn duration(&self) -> Duration {
        PACE * self.packets.len() as u32
    }

    /// The place of the n-th caller: far from those of the callers before and after.
    pub fn for_caller(self: &Arc<Self>, n: u32) -> Replaying {
        let share = (f64::from(n) * 0.618_033_988_749_895).fract();
        Replaying { replay: self.clone(), from: (self.packets.len() as f64 * share) as usize }
    }

    pub(crate) fn packet(&self, n: usize) -> &Encoded {
        &self.packets[n % self.packets.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_audio::clips;

    #[test]
    fn a_replay_is_mostly_silence_and_reports_where_speech_begins() {
        let replay = Replay::of(&[clips::caller_question(), clips::caller_order()]).unwrap();

        let speech = replay.packets.iter().filter(|packet| packet.payload.len() > 20).count();
        let share = speech as f64 / replay.packets.len() as f64;
        assert!((0.35..0.5).contains(&share), "{share}");
        // The first sentence begins before anything was quiet.
        assert_eq!(replay.packets.iter().filter(|packet| packet.is_onset).count(), 1);
    }
}
