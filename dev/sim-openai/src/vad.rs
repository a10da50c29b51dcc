//! Voice activity detection, by energy. Its clock is the audio written to it: where that stops, so does time.

use sim_audio::{FRAME, level};

/// Voiced frames in a row that begin speech: a click is shorter.
const ONSET_FRAMES: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hearing {
    /// 0 to 1; higher needs louder speech. 0.5 is -50 dBFS, and each 0.1 is 2 dB.
    pub threshold: f64,
    /// How much sound before the first voiced frame belongs to the speech.
    pub prefix_padding_ms: u64,
    /// How much silence ends the speech.
    pub silence_duration_ms: u64,
}

/// A moment at which speech begins or ends, in milliseconds of audio written since the session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// Includes the prefix padding.
    Started { audio_start_ms: u64 },
    /// Includes the silence that proved it.
    Stopped { audio_end_ms: u64 },
}

#[derive(Debug)]
pub(crate) struct Vad {
    hearing: Hearing,
    /// Samples that do not fill a frame yet.
    rest: Vec<i16>,
    /// Whole frames heard so far.
    frames: u64,
    state: State,
    last_end_ms: u64,
}

#[derive(Debug)]
enum State {
    Silence { voiced_frames: usize },
    Speech { silent_ms: u64 },
}

impl Vad {
    pub(crate) fn new(hearing: Hearing) -> Self {
        let state = State::Silence { voiced_frames: 0 };
        Self { hearing, rest: Vec::new(), frames: 0, state, last_end_ms: 0 }
    }

    /// Listens differently from now on; speech that has begun goes on.
    pub(crate) fn listen(&mut self, hearing: Hearing) {
        self.hearing = hearing;
    }

    pub(crate) fn is_speech(&self) -> bool {
        matches!(self.state, State::Speech { .. })
    }

    pub(crate) fn handle_audio(&mut self, samples: &[i16]) -> Vec<Edge> {
        self.rest.extend(samples);
        let whole = self.rest.len() - self.rest.len() % FRAME;
        let frames: Vec<i16> = self.rest.drain(..whole).collect();
        frames.chunks_exact(FRAME).filter_map(|frame| self.handle_frame(frame)).collect()
    }

    fn handle_frame(&mut self, frame: &[i16]) -> Option<Edge> {
        let voiced = level::dbfs(frame) > self.hearing.dbfs();
        self.frames += 1;
        match &mut self.state {
            State::Silence { voiced_frames } => {
                *voiced_frames = if voiced { *voiced_frames + 1 } else { 0 };
                (*voiced_frames == ONSET_FRAMES).then(|| self.begin())
            }
            State::Speech { silent_ms } => {
                *silent_ms = if voiced { 0 } else { *silent_ms + 20 };
                (*silent_ms >= self.hearing.silence_duration_ms.max(20)).then(|| self.end())
            }
        }
    }

    fn begin(&mut self) -> Edge {
        self.state = State::Speech { silent_ms: 0 };
        let onset = self.now_ms() - ONSET_FRAMES as u64 * 20;
        let padded = onset.saturating_sub(self.hearing.prefix_padding_ms);
        Edge::Started { audio_start_ms: padded.max(self.last_end_ms) }
    }

    fn end(&mut self) -> Edge {
        self.state = State::Silence { voiced_frames: 0 };
        self.last_end_ms = self.now_ms();
        Edge::Stopped { audio_end_ms: self.last_end_ms }
    }

    fn now_ms(&self) -> u64 {
        self.frames * 20
    }
}

impl Hearing {
    fn dbfs(&self) -> f64 {
        -60.0 + 20.0 * self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HEARING: Hearing = Hearing { threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 500 };

    #[test]
    fn speech_begins_with_its_padding_and_ends_with_its_silence() {
        let edges = heard(&[silence(1_000), voice(600), silence(1_000)].concat());

        assert_eq!(edges, [Edge::Started { audio_start_ms: 700 }, Edge::Stopped { audio_end_ms: 2_100 }]);
    }

    #[test]
    fn the_size_of_the_pieces_changes_nothing() {
        let sound = [silence(400), voice(600), silence(700), voice(300), silence(600)].concat();
        let mut vad = Vad::new(HEARING);

        let edges: Vec<Edge> = sound.chunks(333).flat_map(|piece| vad.handle_audio(piece)).collect();

        assert_eq!(edges, heard(&sound));
        assert_eq!(edges.len(), 4);
    }

    #[test]
    fn without_audio_time_stands_still() {
        let mut vad = Vad::new(HEARING);
        vad.handle_audio(&voice(600));
        vad.handle_audio(&silence(480));
        assert!(vad.is_speech());

        assert_eq!(vad.handle_audio(&silence(20)), [Edge::Stopped { audio_end_ms: 1_100 }]);
    }

    #[test]
    fn a_pause_shorter_than_the_silence_is_part_of_the_speech() {
        let edges = heard(&[voice(300), silence(400), voice(300), silence(600)].concat());

        assert_eq!(edges.len(), 2, "{edges:?}");
    }

    #[test]
    fn a_click_is_not_speech() {
        assert_eq!(heard(&[silence(200), voice(40), silence(600)].concat()), []);
    }

    #[test]
    fn a_higher_threshold_needs_louder_speech() {
        let quiet: Vec<i16> = voice(600).iter().map(|s| s / 32).collect();
        let strict = Hearing { threshold: 1.0, ..HEARING };

        assert_eq!(Vad::new(HEARING).handle_audio(&quiet).len(), 1);
        assert_eq!(Vad::new(strict).handle_audio(&quiet), []);
    }

    #[test]
    fn padding_never_reaches_into_the_speech_before() {
        let edges = heard(&[voice(300), silence(500), voice(300)].concat());

        assert_eq!(edges[1], Edge::Stopped { audio_end_ms: 800 });
        assert_eq!(edges[2], Edge::Started { audio_start_ms: 800 });
    }

    fn heard(sound: &[i16]) -> Vec<Edge> {
        Vad::new(HEARING).handle_audio(sound)
    }

    fn voice(ms: u64) -> Vec<i16> {
        sim_audio::tone(300.0, Duration::from_millis(ms))
    }

    fn silence(ms: u64) -> Vec<i16> {
        vec![0; sim_audio::samples(Duration::from_millis(ms))]
    }
}
