//! Builds the transcript of a call: who said what, in order, with only as much of the agent's words as the caller heard.
//!
//! Text comes late and out of order: the agent's runs ahead of its audio, the caller's may be transcribed only after the answer. So
//! a line gets its place when the speaker starts, and is emitted once its text has come and it is settled: played, interrupted, or
//! transcribed.

use audio::PlayedItem;
use journal::{Speaker, TranscriptLine};
use realtime::ItemId;
use std::collections::HashMap;
use std::time::Duration;

/// The transcript of one call.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    lines: Vec<Draft>,
    items: HashMap<ItemId, usize>,
    turn: Option<(u64, u64)>,
    turns: Vec<u64>,
}

/// A line whose text or outcome may still be missing.
#[derive(Debug)]
struct Draft {
    line: TranscriptLine,
    has_text: bool,
    is_settled: bool,
    is_emitted: bool,
}

impl Transcript {
    /// Notes that the caller starts to speak.
    pub(crate) fn caller_started(&mut self, item: &ItemId, at_ms: u64) {
        self.begin(item, Speaker::Caller, at_ms);
    }

    /// Notes the transcript of the caller's turn.
    pub(crate) fn caller_said(&mut self, item: &ItemId, text: &str, at_ms: u64) {
        let draft = self.begin(item, Speaker::Caller, at_ms);
        draft.write(text);
        draft.is_settled = true;
    }

    /// Notes that the caller's turn was silent by our own level meter.
    pub(crate) fn caller_was_silent(&mut self, item: &ItemId, at_ms: u64) {
        self.begin(item, Speaker::Caller, at_ms).line.in_silence = true;
    }

    /// Notes that the caller's turn gets no transcript.
    pub(crate) fn caller_transcription_failed(&mut self, item: &ItemId) {
        if let Some(draft) = self.draft(item) {
            draft.is_settled = true;
        }
    }

    /// Adds a line for what the caller did without speaking, such as pressing keys.
    pub(crate) fn caller_note(&mut self, text: &str, at_ms: u64) {
        let item = format!("note-{}", self.lines.len()).into();
        self.caller_said(&item, text, at_ms);
    }

    /// Notes the first audio of an item of the agent's.
    pub(crate) fn agent_started(&mut self, item: &ItemId, at_ms: u64) {
        if !self.items.contains_key(item) {
            let turn = self.turn.take();
            let draft = self.begin(item, Speaker::Agent, at_ms);
            (draft.line.took_ms, draft.line.tool_ms) = (turn.map(|turn| turn.0), turn.map(|turn| turn.1));
        }
    }

    /// Notes the complete text of an item of the agent's, and the duration of its audio if it is known.
    pub(crate) fn agent_said(&mut self, item: &ItemId, text: &str, audio: Option<Duration>, at_ms: u64) {
        let draft = self.begin(item, Speaker::Agent, at_ms);
        draft.write(text);
        draft.line.of_ms = draft.line.of_ms.max(audio.map(ms));
    }

    /// Notes that an item was interrupted, and how much of it was heard.
    pub(crate) fn note_interrupted(&mut self, heard: &PlayedItem) {
        if let Some(draft) = self.draft(&heard.item.0.as_str().into()) {
            draft.line.heard_ms = Some(ms(heard.heard));
            draft.line.of_ms = Some(draft.line.of_ms.unwrap_or_default().max(ms(heard.of)));
            draft.is_settled = true;
        }
    }

    /// Notes that an item whose audio is elsewhere was cut, and how much of it was heard.
    pub(crate) fn note_cut(&mut self, item: &ItemId, heard: Duration) {
        if let Some(draft) = self.draft(item) {
            draft.line.heard_ms = Some(ms(heard));
            draft.is_settled = true;
        }
    }

    /// Notes that an item was played to its end.
    pub(crate) fn note_played(&mut self, item: &ItemId) {
        if let Some(draft) = self.draft(item) {
            draft.is_settled = true;
        }
    }

    /// Notes the response latency of the agent's current turn, and how much of it was spent on tools.
    pub(crate) fn note_turn(&mut self, took: Duration, tools: Duration) {
        self.turns.push(ms(took));
        let turn = (ms(took), ms(tools));
        // The first audio of the item arrived before it was played.
        match self.lines.iter_mut().rev().find(|draft| draft.line.speaker == Speaker::Agent) {
            Some(draft) if draft.line.took_ms.is_none() && !draft.is_settled => {
                (draft.line.took_ms, draft.line.tool_ms) = (Some(turn.0), Some(turn.1));
            }
            _ => self.turn = Some(turn),
        }
    }

    /// Whether the transcript of the caller's last turn is still to come.
    pub(crate) fn awaits_transcription(&self) -> bool {
        let last = self.lines.iter().rev().find(|draft| draft.line.speaker == Speaker::Caller);
        last.is_some_and(|draft| !draft.has_text && !draft.is_settled)
    }

    /// Returns the next complete line, each once.
    pub(crate) fn poll_line(&mut self) -> Option<TranscriptLine> {
        self.emit(|draft| draft.has_text && draft.is_settled)
    }

    /// Returns the next remaining line at the end of the call. Lines without text, and items of the agent's that were never played,
    /// are left out.
    pub(crate) fn poll_rest(&mut self) -> Option<TranscriptLine> {
        self.emit(|draft| draft.has_text && (draft.is_settled || draft.line.speaker == Speaker::Caller))
    }

    /// Returns how many turns the agent answered, and the median and 95th percentile of the response latency, ms.
    pub(crate) fn turns(&self) -> (u64, Option<u64>, Option<u64>) {
        let mut turns = self.turns.clone();
        turns.sort_unstable();
        let at =
            |per_cent: usize| turns.get((turns.len() * per_cent).div_ceil(100).saturating_sub(1)).copied();
        (turns.len() as u64, at(50), at(95))
    }

    fn begin(&mut self, item: &ItemId, speaker: Speaker, at_ms: u64) -> &mut Draft {
        let at = *self.items.entry(item.clone()).or_insert_with(|| {
            self.lines.push(Draft::new(self.lines.len() as u32, speaker, at_ms));
            self.lines.len() - 1
        });
        &mut self.lines[at]
    }

    fn draft(&mut self, item: &ItemId) -> Option<&mut Draft> {
        let at = *self.items.get(item)?;
        self.lines.get_mut(at)
    }

    fn emit(&mut self, is_ready: impl Fn(&Draft) -> bool) -> Option<TranscriptLine> {
        let ready = self.lines.iter_mut().filter(|draft| !draft.is_emitted && is_ready(draft));
        let lines = ready.map(|draft| {
            draft.is_emitted = true;
            let nothing = empty(draft.line.speaker);
            cut_to_heard(std::mem::replace(&mut draft.line, nothing))
        });
        // Cut to what was heard, a line may be empty.
        lines.into_iter().find(|line| !line.text.is_empty())
    }
}

impl Draft {
    fn new(place: u32, speaker: Speaker, at_ms: u64) -> Self {
        let line = TranscriptLine { place, at_ms, ..empty(speaker) };
        Self { line, has_text: false, is_settled: false, is_emitted: false }
    }

    fn write(&mut self, text: &str) {
        self.line.text = text.trim().to_owned();
        self.has_text = !self.line.text.is_empty();
    }
}

fn empty(speaker: Speaker) -> TranscriptLine {
    TranscriptLine {
        place: 0,
        speaker,
        text: String::new(),
        at_ms: 0,
        heard_ms: None,
        of_ms: None,
        took_ms: None,
        tool_ms: None,
        in_silence: false,
    }
}

/// Cuts an interrupted line in proportion to the audio that was heard, or by the usual pace if it is not known how much there was: the
/// model sends no shortened transcript.
fn cut_to_heard(mut line: TranscriptLine) -> TranscriptLine {
    let Some(heard) = line.heard_ms.map(Duration::from_millis) else { return line };
    let words = match line.of_ms.map(Duration::from_millis) {
        Some(of) => realtime::heard_words(&line.text, heard, of),
        None => realtime::words_within(&line.text, heard),
    };
    line.text = words.to_owned();
    line
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_transcript_keeps_its_place() {
        let mut transcript = Transcript::default();
        transcript.caller_started(&"u1".into(), 1_000);
        assert!(transcript.awaits_transcription());
        transcript.agent_started(&"a1".into(), 2_000);
        transcript.agent_said(&"a1".into(), "It is ready.", Some(Duration::from_millis(900)), 2_100);
        transcript.note_played(&"a1".into());
        assert_eq!(texts(&mut transcript), [(1, "It is ready.".to_owned())]);

        transcript.caller_said(&"u1".into(), " Is it ready? ", 3_000);

        assert_eq!(texts(&mut transcript), [(0, "Is it ready?".to_owned())]);
        assert!(!transcript.awaits_transcription());
    }

    #[test]
    fn a_failed_transcription_is_not_awaited() {
        let mut transcript = Transcript::default();
        transcript.caller_started(&"u1".into(), 1_000);
        transcript.caller_transcription_failed(&"u1".into());

        assert!(!transcript.awaits_transcription());
        assert_eq!((transcript.poll_line(), transcript.poll_rest()), (None, None));
    }

    #[test]
    fn an_interrupted_line_is_cut_to_what_was_heard() {
        let mut transcript = Transcript::default();
        transcript.agent_started(&"a1".into(), 0);
        transcript.agent_said(&"a1".into(), "one two three four", Some(Duration::from_millis(2_000)), 0);
        transcript.note_interrupted(&heard("a1", 1_000, 2_000));

        assert_eq!(texts(&mut transcript), [(0, "one two".to_owned())]);
    }

    #[test]
    fn a_line_of_unknown_duration_is_cut_by_the_usual_pace() {
        let mut transcript = Transcript::default();
        transcript.agent_started(&"a1".into(), 0);
        transcript.agent_said(&"a1".into(), "Your bike is in the workshop, and ready by six.", None, 0);
        transcript.note_cut(&"a1".into(), Duration::from_millis(1_000));

        let line = transcript.poll_line().expect("it is settled");

        assert_eq!((line.text.as_str(), line.heard_ms, line.of_ms), ("Your bike is in", Some(1_000), None));
    }

    #[test]
    fn incomplete_lines_are_emitted_at_the_end() {
        let mut transcript = Transcript::default();
        transcript.agent_started(&"a1".into(), 0);
        transcript.note_interrupted(&heard("a1", 300, 600));
        transcript.caller_started(&"never transcribed".into(), 10);
        assert_eq!(transcript.poll_line(), None);
        transcript.agent_said(&"a1".into(), "Good day", Some(Duration::from_millis(600)), 0);

        assert_eq!(transcript.poll_rest().map(|line| line.text), Some("Good".into()));
        assert_eq!(transcript.poll_rest(), None);
    }

    #[test]
    fn items_that_were_not_heard_are_left_out() {
        let mut transcript = Transcript::default();
        transcript.agent_started(&"the greeting of an unanswered call".into(), 0);
        transcript.agent_said(
            &"the greeting of an unanswered call".into(),
            "Hello",
            Some(Duration::from_millis(400)),
            0,
        );
        transcript.note_interrupted(&heard("the greeting of an unanswered call", 0, 400));
        transcript.agent_started(&"never played".into(), 10);
        transcript.agent_said(&"never played".into(), "Hello?", Some(Duration::from_millis(400)), 10);
        transcript.caller_said(&"u1".into(), "Hello, are you there?", 20);

        assert_eq!(texts(&mut transcript), [(2, "Hello, are you there?".to_owned())]);
        assert_eq!(transcript.poll_rest(), None);
    }

    #[test]
    fn the_transcript_of_silence_is_marked() {
        let mut transcript = Transcript::default();
        transcript.caller_started(&"u1".into(), 0);
        transcript.caller_was_silent(&"u1".into(), 900);
        transcript.caller_said(&"u1".into(), "Thank you for watching!", 1_000);
        transcript.caller_said(&"u2".into(), "Is it ready?", 5_000);

        let lines = std::iter::from_fn(|| transcript.poll_line()).map(|line| line.in_silence);

        assert_eq!(lines.collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn an_answer_has_its_response_latency() {
        let mut transcript = Transcript::default();
        transcript.agent_started(&"greeting".into(), 0);
        transcript.note_played(&"greeting".into());
        transcript.agent_started(&"a1".into(), 5_000);
        transcript.note_turn(Duration::from_millis(820), Duration::from_millis(300));
        transcript.agent_said(&"a1".into(), "Yes.", Some(Duration::from_millis(300)), 5_010);
        transcript.note_played(&"a1".into());

        let line = transcript.poll_line().expect("it has text and was played");

        assert_eq!((line.took_ms, line.tool_ms), (Some(820), Some(300)));
        assert_eq!(transcript.turns(), (1, Some(820), Some(820)));
    }

    fn heard(item: &str, heard: u64, of: u64) -> PlayedItem {
        let ms = Duration::from_millis;
        PlayedItem { item: audio::ItemId(item.into()), heard: ms(heard), of: ms(of) }
    }

    fn texts(transcript: &mut Transcript) -> Vec<(u32, String)> {
        std::iter::from_fn(|| transcript.poll_line()).map(|line| (line.place, line.text)).collect()
    }
}
