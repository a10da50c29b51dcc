//! Follows what the service plays to the caller, where it carries the audio.

use super::{Session, SessionEvent};
use crate::{ClientEvent, ItemId, ResponseId};
use std::time::{Duration, Instant};

/// A response that is being played.
#[derive(Debug)]
pub(super) struct Playback {
    response: ResponseId,
    since: Instant,
    /// The item that was truncated, and how much of it the caller heard.
    truncated: Option<(ItemId, Duration)>,
}

impl Session {
    /// Notes that the service began to play a response.
    pub(super) fn start_playback(&mut self, response: ResponseId, now: Instant) {
        if !self.is_sideband() {
            return;
        }
        if let Some(before) = self.sideband.playback.take() {
            self.end_playback(before, false, now);
        }
        for item in self.items_of(&response) {
            self.note_audible(&response, &item);
        }
        self.emit(SessionEvent::PlaybackStarted { response: response.clone() });
        self.sideband.playback = Some(Playback { response, since: now, truncated: None });
        self.note_playing(true, now);
    }

    /// Notes that the service has played all of a response, or has discarded the rest.
    pub(super) fn stop_playback(&mut self, response: &ResponseId, is_cut: bool, now: Instant) {
        let playback = self.sideband.playback.take_if(|playback| playback.response == *response);
        if let Some(playback) = playback {
            self.end_playback(playback, is_cut, now);
        } else if self.is_sideband() {
            // It began before the connection was lost, or meanwhile.
            let (response, items, heard) = (response.clone(), vec![], Duration::ZERO);
            self.emit(SessionEvent::PlaybackEnded { response, items, heard, is_cut });
        }
    }

    /// Stops to follow what is played, because the connection is lost.
    pub(super) fn lose_playback(&mut self, now: Instant) {
        if let Some(playback) = self.sideband.playback.take() {
            let items = self.stop_following(&playback.response, now);
            self.emit(SessionEvent::PlaybackLost { items, heard: now - playback.since });
        }
    }

    /// Notes how much of an item the caller heard before the service discarded the rest.
    pub(super) fn note_truncated(&mut self, item: ItemId, heard: Duration) {
        let heard = (item, heard);
        self.sideband.playback.iter_mut().for_each(|playback| playback.truncated = Some(heard.clone()));
    }

    /// Notes that speech of an item exists, which the service plays.
    pub(super) fn note_audible(&mut self, response: &ResponseId, item: &ItemId) {
        if !self.is_sideband() || self.link.queue.is_cancelled(response) {
            return;
        }
        let spoken = self.link.item(item, response, self.config.options.output_format);
        if !std::mem::replace(&mut spoken.is_audible, true) {
            // The transcript is not cut to the audio that arrived: none does.
            self.history.set_received(item, Duration::ZERO, true);
            self.greeting.audio_received(response, item);
            let (response, item) = (response.clone(), item.clone());
            self.emit(SessionEvent::Speaking { response, item });
        }
    }

    /// Discards what waits to be played of a response that was cancelled, unless another one is being played.
    pub(super) fn clear_cancelled(&mut self, response: &ResponseId) {
        let playback = self.sideband.playback.as_ref();
        if self.is_sideband() && playback.is_none_or(|playback| playback.response == *response) {
            self.clear_playback();
        }
    }

    /// Discards what is being played, of a response other than the one that was cancelled with it.
    pub(super) fn clear_played(&mut self, cancelled: Option<&ResponseId>) {
        if self.sideband.playback.as_ref().is_some_and(|playback| Some(&playback.response) != cancelled) {
            self.clear_playback();
        }
    }

    fn clear_playback(&mut self) {
        let event_id = self.new_id();
        self.send(ClientEvent::ClearPlayback { event_id });
    }

    fn end_playback(&mut self, playback: Playback, is_cut: bool, now: Instant) {
        let Playback { response, since, truncated } = playback;
        let items = self.stop_following(&response, now);
        let truncated = truncated.filter(|(item, _)| items.contains(item));
        let heard = truncated.map_or(now - since, |(_, heard)| heard);
        self.emit(SessionEvent::PlaybackEnded { response, items, heard, is_cut });
    }

    /// Notes that a response is not being played any more, and returns the items of its speech.
    fn stop_following(&mut self, response: &ResponseId, now: Instant) -> Vec<ItemId> {
        let items = self.items_of(response);
        items.iter().for_each(|item| self.greeting.item_played(item));
        self.note_playing(false, now);
        items
    }

    /// Returns the items of a response's speech, in order.
    fn items_of(&self, response: &ResponseId) -> Vec<ItemId> {
        let items = self.link.items.iter().filter(|(_, item)| item.response == *response);
        let mut items: Vec<ItemId> = items.map(|(id, _)| id.clone()).collect();
        items.sort_by_key(|id| self.history.position(id));
        items
    }
}
