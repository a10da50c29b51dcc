//! Takes the minutes of a call: who said what, in order, and of the agent only what was heard.
//!
//! Words come late and out of order: the model's run ahead of its sound, the caller's may be written down only after the
//! answer. So a line gets its place when it begins, and is handed out once both its words and its fate are known.

use audio::PlayedItem;
use journal::{Speaker, TranscriptLine};
use std::collections::HashMap;
use std::time::Duration;

/// The minutes of one call.
#[derive(Debug, Default)]
pub struct Transcript {
    lines: Vec<Draft>,
    items: HashMap<String, usize>,
    turn: Option<(u64, u64)>,
    turns: Vec<u64>,
}

#[derive(Debug)]
struct Draft {
    line: TranscriptLine,
    has_words: bool,
    has_fate: bool,
    is_handed_out: bool,
}

impl Transcript {
    /// The caller begins to say something.
    pub fn caller_began(&mut self, item: &str, at_ms: u64) {
        self.begin(item, Speaker::Caller, at_ms);
    }

    /// What the caller said.
    pub fn caller_said(&mut self, item: &str, text: &str, at_ms: u64) {
        let draft = self.begin(item, Speaker::Caller, at_ms);
        draft.write(text);
        draft.has_fate = true;
    }

    /// Our own meter heard nothing in what the caller is said to have said.
    pub fn caller_was_silent(&mut self, item: &str, at_ms: u64) {
        self.begin(item, Speaker::Caller, at_ms).line.in_silence = true;
    }

    /// The words of what the caller said will not come.
    pub fn caller_not_written(&mut self, item: &str) {
        if let Some(draft) = self.known(item) {
            draft.has_fate = true;
        }
    }

    /// The caller made themselves understood without speaking.
    pub fn caller_noted(&mut self, text: &str, at_ms: u64) {
        let item = format!("note-{}", self.lines.len());
        self.caller_said(&item, text, at_ms);
    }

    /// The agent begins to say something: its first sound came.
    pub fn agent_began(&mut self, item: &str, at_ms: u64) {
        if !self.items.contains_key(item) {
            let turn = self.turn.take();
            let draft = self.begin(item, Speaker::Agent, at_ms);
            (draft.line.took_ms, draft.line.tool_ms) = (turn.map(|turn| turn.0), turn.map(|turn| turn.1));
        }
    }

    /// What the agent says, all of it, and how long that is.
    pub fn agent_said(&mut self, item: &str, text: &str, audio: Duration, at_ms: u64) {
        let draft = self.begin(item, Speaker::Agent, at_ms);
        draft.write(text);
        draft.line.of_ms = Some(draft.line.of_ms.unwrap_or_default().max(ms(audio)));
    }

    /// The agent was interrupted.
    pub fn was_heard(&mut self, heard: &PlayedItem) {
        if let Some(draft) = self.known(&heard.item.0) {
            draft.line.heard_ms = Some(ms(heard.heard));
            draft.line.of_ms = Some(draft.line.of_ms.unwrap_or_default().max(ms(heard.of)));
            draft.has_fate = true;
        }
    }

    /// Something was heard to its end.
    pub fn was_played(&mut self, item: &str) {
        if let Some(draft) = self.known(item) {
            draft.has_fate = true;
        }
    }

    /// The agent's first voice after the caller's turn: how long that took, and how much of it tools took.
    pub fn answered(&mut self, took: Duration, tools: Duration) {
        self.turns.push(ms(took));
        let turn = (ms(took), ms(tools));
        // Its first sound came before it was played.
        match self.lines.iter_mut().rev().find(|draft| draft.line.speaker == Speaker::Agent) {
            Some(draft) if draft.line.took_ms.is_none() && !draft.has_fate => {
                (draft.line.took_ms, draft.line.tool_ms) = (Some(turn.0), Some(turn.1));
            }
            _ => self.turn = Some(turn),
        }
    }

    /// Whether the words of what the caller said last are still to come.
    pub fn awaits_words(&self) -> bool {
        let last = self.lines.iter().rev().find(|draft| draft.line.speaker == Speaker::Caller);
        last.is_some_and(|draft| !draft.has_words && !draft.has_fate)
    }

    /// A line of which everything is known, once.
    pub fn poll_line(&mut self) -> Option<TranscriptLine> {
        self.hand_out(|draft| draft.has_words && draft.has_fate)
    }

    /// A line that is not known to its end: nobody will say more about it. Lines without words are none, and neither is
    /// what the agent meant to say and was never played.
    pub fn poll_rest(&mut self) -> Option<TranscriptLine> {
        self.hand_out(|draft| draft.has_words && (draft.has_fate || draft.line.speaker == Speaker::Caller))
    }

    /// How many turns were answered; the median and the 95th percentile of how long that took, ms.
    pub fn turns(&self) -> (u64, Option<u64>, Option<u64>) {
        let mut turns = self.turns.clone();
        turns.sort_unstable();
        let at =
            |per_cent: usize| turns.get((turns.len() * per_cent).div_ceil(100).saturating_sub(1)).copied();
        (turns.len() as u64, at(50), at(95))
    }

    fn begin(&mut self, item: &str, speaker: Speaker, at_ms: u64) -> &mut Draft {
        let at = *self.items.entry(item.to_owned()).or_insert_with(|| {
            self.lines.push(Draft::new(self.lines.len() as u32, speaker, at_ms));
            self.lines.len() - 1
        });
        &mut self.lines[at]
    }

    fn known(&mut self, item: &str) -> Option<&mut Draft> {
        let at = *self.items.get(item)?;
        self.lines.get_mut(at)
    }

    fn hand_out(&mut self, is_ready: impl Fn(&Draft) -> bool) -> Option<TranscriptLine> {
        let ready = self.lines.iter_mut().filter(|draft| !draft.is_handed_out && is_ready(draft));
        let lines = ready.map(|draft| {
            draft.is_handed_out = true;
            let nothing = empty(draft.line.speaker);
            only_what_was_heard(std::mem::replace(&mut draft.line, nothing))
        });
        // Of some, nothing was heard.
        lines.into_iter().find(|line| !line.text.is_empty())
    }
}

impl Draft {
    fn new(place: u32, speaker: Speaker, at_ms: u64) -> Self {
        let line = TranscriptLine { place, at_ms, ..empty(speaker) };
        Self { line, has_words: false, has_fate: false, is_handed_out: false }
    }

    fn write(&mut self, text: &str) {
        self.line.text = text.trim().to_owned();
        self.has_words = !self.line.text.is_empty();
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

/// The model tells no shortened transcript: an interrupted line is cut in proportion.
fn only_what_was_heard(mut line: TranscriptLine) -> TranscriptLine {
    if let (Some(heard), Some(of)) = (line.heard_ms, line.of_ms) {
        let (heard, of) = (Duration::from_millis(heard), Duration::from_millis(of));
        line.text = realtime::heard_words(&line.text, heard, of).to_owned();
    }
    line
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use audio::ItemId;

    #[test]
    fn words_that_come_after_the_answer_keep_their_place() {
        let mut minutes = Transcript::default();
        minutes.caller_began("u1", 1_000);
        assert!(minutes.awaits_words());
        minutes.agent_began("a1", 2_000);
        minutes.agent_said("a1", "It is ready.", Duration::from_millis(900), 2_100);
        minutes.was_played("a1");
        assert_eq!(texts(&mut minutes), [(1, "It is ready.".to_owned())]);

        minutes.caller_said("u1", " Is it ready? ", 3_000);

        assert_eq!(texts(&mut minutes), [(0, "Is it ready?".to_owned())]);
        assert!(!minutes.awaits_words());
    }

    #[test]
    fn words_that_cannot_be_written_down_are_not_waited_for() {
        let mut minutes = Transcript::default();
        minutes.caller_began("u1", 1_000);
        minutes.caller_not_written("u1");

        assert!(!minutes.awaits_words());
        assert_eq!((minutes.poll_line(), minutes.poll_rest()), (None, None));
    }

    #[test]
    fn an_interrupted_agent_said_only_what_was_heard() {
        let mut minutes = Transcript::default();
        minutes.agent_began("a1", 0);
        minutes.agent_said("a1", "one two three four", Duration::from_millis(2_000), 0);
        minutes.was_heard(&heard("a1", 1_000, 2_000));

        assert_eq!(texts(&mut minutes), [(0, "one two".to_owned())]);
    }

    #[test]
    fn what_is_not_known_to_its_end_is_handed_out_at_the_end() {
        let mut minutes = Transcript::default();
        minutes.agent_began("a1", 0);
        minutes.was_heard(&heard("a1", 300, 600));
        minutes.caller_began("never transcribed", 10);
        assert_eq!(minutes.poll_line(), None);
        minutes.agent_said("a1", "Good day", Duration::from_millis(600), 0);

        assert_eq!(minutes.poll_rest().map(|line| line.text), Some("Good".into()));
        assert_eq!(minutes.poll_rest(), None);
    }

    #[test]
    fn what_nobody_heard_is_no_line() {
        let mut minutes = Transcript::default();
        minutes.agent_began("the greeting of a call nobody answered", 0);
        minutes.agent_said("the greeting of a call nobody answered", "Hello", Duration::from_millis(400), 0);
        minutes.was_heard(&heard("the greeting of a call nobody answered", 0, 400));
        minutes.agent_began("never played", 10);
        minutes.agent_said("never played", "Hello?", Duration::from_millis(400), 10);
        minutes.caller_said("u1", "Anybody there?", 20);

        assert_eq!(texts(&mut minutes), [(2, "Anybody there?".to_owned())]);
        assert_eq!(minutes.poll_rest(), None);
    }

    #[test]
    fn words_of_a_silence_are_marked() {
        let mut minutes = Transcript::default();
        minutes.caller_began("u1", 0);
        minutes.caller_was_silent("u1", 900);
        minutes.caller_said("u1", "Thank you for watching!", 1_000);
        minutes.caller_said("u2", "Is it ready?", 5_000);

        let lines = std::iter::from_fn(|| minutes.poll_line()).map(|line| line.in_silence);

        assert_eq!(lines.collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn an_answer_knows_how_long_it_took() {
        let mut minutes = Transcript::default();
        minutes.agent_began("greeting", 0);
        minutes.was_played("greeting");
        minutes.agent_began("a1", 5_000);
        minutes.answered(Duration::from_millis(820), Duration::from_millis(300));
        minutes.agent_said("a1", "Yes.", Duration::from_millis(300), 5_010);
        minutes.was_played("a1");

        let line = minutes.poll_line().expect("its words and its fate are known");

        assert_eq!((line.took_ms, line.tool_ms), (Some(820), Some(300)));
        assert_eq!(minutes.turns(), (1, Some(820), Some(820)));
    }

    fn heard(item: &str, heard: u64, of: u64) -> PlayedItem {
        let ms = Duration::from_millis;
        PlayedItem { item: ItemId(item.into()), heard: ms(heard), of: ms(of) }
    }

    fn texts(minutes: &mut Transcript) -> Vec<(u32, String)> {
        std::iter::from_fn(|| minutes.poll_line()).map(|line| (line.place, line.text)).collect()
    }
}
