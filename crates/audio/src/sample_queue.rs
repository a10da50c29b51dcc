//! A queue of samples in the chunks they came in, which frees each chunk once it is played.

use crate::{Frame, SAMPLES};
use std::collections::VecDeque;
use std::fmt;

#[derive(Default)]
pub(crate) struct SampleQueue {
    pieces: VecDeque<Vec<i16>>,
    /// How many samples of the first chunk are taken.
    taken: usize,
    len: usize,
}

impl fmt::Debug for SampleQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SampleQueue({} samples)", self.len)
    }
}

impl SampleQueue {
    pub(crate) fn push(&mut self, piece: Vec<i16>) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.pieces.push_back(piece);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes a frame, padded with silence, and returns it with the number of its samples.
    pub(crate) fn take_frame(&mut self) -> (Frame, usize) {
        let mut frame = [0; SAMPLES];
        let mut count = 0;
        while let Some(piece) = self.pieces.front().filter(|_| count < SAMPLES) {
            let rest = &piece[self.taken..];
            let part = rest.len().min(SAMPLES - count);
            frame[count..count + part].copy_from_slice(&rest[..part]);
            count += part;
            self.taken += part;
            if self.taken == piece.len() {
                self.pieces.pop_front();
                self.taken = 0;
            }
        }
        self.len -= count;
        (frame, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_any_size_become_frames_without_loss() {
        let mut queue = SampleQueue::default();
        let all = (1..=1_000).collect::<Vec<i16>>();
        [1, 0, 479, 20, 500].into_iter().fold(&all[..], |rest, size| {
            queue.push(rest[..size].to_vec());
            &rest[size..]
        });
        assert_eq!(queue.len(), 1_000);

        let frames =
            std::iter::from_fn(|| (!queue.is_empty()).then(|| queue.take_frame())).collect::<Vec<_>>();

        assert_eq!(frames.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [480, 480, 40]);
        let out = frames.iter().flat_map(|(frame, _)| frame).copied().collect::<Vec<_>>();
        assert_eq!(out[..1_000], all);
        assert!(out[1_000..].iter().all(|sample| *sample == 0));
        assert_eq!(queue.take_frame(), ([0; SAMPLES], 0));
    }
}
