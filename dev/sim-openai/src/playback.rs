//! Plays the model's speech to the caller of a telephone call, in real time, and knows what has been heard.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The service's own output audio buffer. A socket's session has none: there the client plays.
#[derive(Debug, Default)]
pub(crate) struct Playback {
    /// One response after the other; the first one is being played.
    tracks: VecDeque<Track>,
    /// All that was ever played or waits to be, by the moment it begins.
    heard: Vec<(Instant, Vec<i16>)>,
}

/// The sound of one response.
#[derive(Debug)]
struct Track {
    response: String,
    pieces: Vec<Piece>,
    has_begun: bool,
    /// Whether no more sound of it comes.
    is_complete: bool,
}

#[derive(Debug)]
struct Piece {
    item: String,
    begins: Instant,
    lasts: Duration,
}

/// A change of the output audio buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlaybackEvent {
    /// The first sound of a response is played.
    Started { response: String },
    /// All sound of a response was played.
    Stopped { response: String },
}

/// What was thrown away unheard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cleared {
    /// The response that was being played, if one was.
    pub response: Option<String>,
    /// The items that were not heard to their end, with the milliseconds that were.
    pub cut: Vec<(String, u64)>,
}

impl Playback {
    /// Appends sound of a response: it is played once all before it was.
    pub(crate) fn push(&mut self, response: &str, item: &str, samples: Vec<i16>, now: Instant) {
        let (begins, lasts) = (now.max(self.end().unwrap_or(now)), sim_audio::duration(samples.len()));
        self.heard.push((begins, samples));
        let piece = Piece { item: item.to_owned(), begins, lasts };
        match self.tracks.iter_mut().find(|track| track.response == response) {
            Some(track) => track.pieces.push(piece),
            None => self.tracks.push_back(Track {
                response: response.to_owned(),
                pieces: vec![piece],
                has_begun: false,
                is_complete: false,
            }),
        }
    }

    /// No more sound of this response comes.
    pub(crate) fn complete(&mut self, response: &str) {
        if let Some(track) = self.tracks.iter_mut().find(|track| track.response == response) {
            track.is_complete = true;
        }
    }

    /// When [`Playback::poll_event`] next has something.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let track = self.tracks.front()?;
        if !track.has_begun { track.pieces.first().map(|piece| piece.begins) } else { track.stops() }
    }

    pub(crate) fn poll_event(&mut self, now: Instant) -> Option<PlaybackEvent> {
        self.next_due().filter(|due| *due <= now)?;
        let track = self.tracks.front_mut()?;
        let response = track.response.clone();
        if !std::mem::replace(&mut track.has_begun, true) {
            return Some(PlaybackEvent::Started { response });
        }
        self.tracks.pop_front();
        Some(PlaybackEvent::Stopped { response })
    }

    /// Whether any sound is played or waits to be.
    pub(crate) fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    /// Throws away whatever was not played yet.
    pub(crate) fn clear(&mut self, now: Instant) -> Cleared {
        self.heard.retain(|(begins, _)| *begins < now);
        if let Some((begins, samples)) = self.heard.last_mut() {
            samples.truncate(sim_audio::samples(now - *begins));
        }
        let playing = self.tracks.front().filter(|track| track.has_begun);
        let response = playing.map(|track| track.response.clone());
        let mut cut: Vec<(String, u64)> = vec![];
        for piece in self.tracks.iter().flat_map(|track| &track.pieces) {
            let played = now.saturating_duration_since(piece.begins).min(piece.lasts).as_millis() as u64;
            match cut.iter_mut().find(|(item, _)| *item == piece.item) {
                Some((_, sum)) => *sum += played,
                None => cut.push((piece.item.clone(), played)),
            }
        }
        let unheard = |item: &str| {
            let pieces = self.tracks.iter().flat_map(|track| &track.pieces);
            pieces.filter(|piece| piece.item == item).any(|piece| piece.ends() > now)
        };
        cut.retain(|(item, _)| unheard(item));
        self.tracks.clear();
        Cleared { response, cut }
    }

    /// Renders what the caller has heard from `since` to `now`, silences included.
    pub(crate) fn recording(&self, since: Instant, now: Instant) -> Vec<i16> {
        let mut recording = vec![0; sim_audio::samples(now.saturating_duration_since(since))];
        for (begins, samples) in &self.heard {
            let from = sim_audio::samples(begins.saturating_duration_since(since)).min(recording.len());
            let length = samples.len().min(recording.len() - from);
            recording[from..from + length].copy_from_slice(&samples[..length]);
        }
        recording
    }

    /// Forgets sound that was played, as a load test must.
    pub(crate) fn forget_heard(&mut self) {
        self.heard.clear();
    }

    fn end(&self) -> Option<Instant> {
        self.tracks.iter().filter_map(|track| track.pieces.last()).map(Piece::ends).max()
    }
}

impl Track {
    fn stops(&self) -> Option<Instant> {
        self.pieces.last().map(Piece::ends).filter(|_| self.is_complete)
    }
}

impl Piece {
    fn ends(&self) -> Instant {
        self.begins + self.lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_that_comes_at_once_is_played_in_real_time() {
        let (mut playback, now) = (Playback::default(), Instant::now());
        playback.push("r", "i", sound(400), now);
        playback.push("r", "i", sound(600), now);
        playback.complete("r");

        assert_eq!(playback.poll_event(now), Some(started("r")));
        assert_eq!(playback.poll_event(now + ms(999)), None);
        assert_eq!(playback.next_due(), Some(now + ms(1_000)));
        assert_eq!(playback.poll_event(now + ms(1_000)), Some(stopped("r")));
        assert!(playback.is_empty());
    }

    #[test]
    fn a_response_waits_for_the_one_before_it() {
        let (mut playback, now) = (Playback::default(), Instant::now());
        playback.push("a", "1", sound(500), now);
        playback.complete("a");
        playback.push("b", "2", sound(500), now + ms(100));
        playback.complete("b");

        let mut events = vec![];
        while let Some(due) = playback.next_due() {
            events.extend(playback.poll_event(due).map(|event| (due.duration_since(now).as_millis(), event)));
        }

        assert_eq!(
            events,
            [(0, started("a")), (500, stopped("a")), (500, started("b")), (1_000, stopped("b"))]
        );
    }

    #[test]
    fn late_sound_leaves_a_gap_and_is_not_the_end() {
        let (mut playback, now) = (Playback::default(), Instant::now());
        playback.push("r", "i", sound(200), now);
        playback.poll_event(now);

        assert_eq!(playback.next_due(), None);
        playback.push("r", "i", sound(200), now + ms(500));
        playback.complete("r");

        assert_eq!(playback.next_due(), Some(now + ms(700)));
        assert_eq!(playback.recording(now, now + ms(700))[sim_audio::samples(ms(300))], 0);
    }

    #[test]
    fn clearing_returns_what_was_heard_of_each_item() {
        let (mut playback, now) = (Playback::default(), Instant::now());
        playback.push("r", "heard", sound(300), now);
        playback.push("r", "half", sound(400), now);
        playback.push("next", "never", sound(400), now);
        playback.poll_event(now);

        let cleared = playback.clear(now + ms(500));

        let cut = vec![("half".to_owned(), 200), ("never".to_owned(), 0)];
        assert_eq!(cleared, Cleared { response: Some("r".to_owned()), cut });
        let heard = playback.recording(now, now + ms(900));
        let voiced = heard.iter().rposition(|sample| *sample != 0).map(|at| sim_audio::duration(at + 1));
        assert_eq!(voiced, Some(ms(500)));
    }

    fn started(response: &str) -> PlaybackEvent {
        PlaybackEvent::Started { response: response.to_owned() }
    }

    fn stopped(response: &str) -> PlaybackEvent {
        PlaybackEvent::Stopped { response: response.to_owned() }
    }

    fn sound(milliseconds: u64) -> Vec<i16> {
        vec![1_000; sim_audio::samples(ms(milliseconds))]
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }
}
