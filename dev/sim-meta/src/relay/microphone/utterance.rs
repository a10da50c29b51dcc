//! A clip that is being said, frame by frame, and where its voice begins and ends.

use sim_audio::level::is_voiced;
use sim_audio::{Clip, FRAME};

/// A clip, and the frame of it that is next.
pub(super) struct Utterance {
    clip: Clip,
    frame: usize,
    voiced: (usize, usize),
}

/// The first or last voiced frame of a clip, by the clip's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edge {
    First(String),
    Last(String),
    /// A clip of one voiced frame.
    Only(String),
}

impl Utterance {
    /// Before its first frame.
    pub(super) fn new(clip: Clip) -> Utterance {
        let mut utterance = Utterance { clip, frame: 0, voiced: (0, 0) };
        let last = utterance.frames() - 1;
        let mut voiced = (0..=last).filter(|n| is_voiced(&utterance.frame_at(*n)));
        let first = voiced.next();
        let end = voiced.next_back().or(first);
        utterance.voiced = (first.unwrap_or(0), end.unwrap_or(last));
        utterance
    }

    /// The next frame, and whether its voice begins or ends with it.
    pub(super) fn next_frame(&mut self) -> ([i16; FRAME], Option<Edge>) {
        let next = (self.frame_at(self.frame), self.edge());
        self.frame += 1;
        next
    }

    /// Whether all of it was said.
    pub(super) fn is_over(&self) -> bool {
        self.frame >= self.frames()
    }

    /// At least one, so that an empty clip is reported too.
    fn frames(&self) -> usize {
        self.clip.samples.len().div_ceil(FRAME).max(1)
    }

    fn frame_at(&self, n: usize) -> [i16; FRAME] {
        let mut frame = [0; FRAME];
        for (to, from) in frame.iter_mut().zip(self.clip.samples.iter().skip(n * FRAME)) {
            *to = *from;
        }
        frame
    }

    fn edge(&self) -> Option<Edge> {
        let name = || self.clip.name.clone();
        match self.voiced {
            (first, last) if first == last && self.frame == first => Some(Edge::Only(name())),
            (first, _) if self.frame == first => Some(Edge::First(name())),
            (_, last) if self.frame == last => Some(Edge::Last(name())),
            _ => None,
        }
    }
}
