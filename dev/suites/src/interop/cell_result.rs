//! One call of the matrix: the caller listens to the greeting, asks, hears the answer, presses keys, hangs up. What of
//! that really happened shows in what each side recorded.

use super::phones::{CallerReport, Phone};
use super::{Cell, folder};
use harness::testbed::Testbed;
use journal::JournalEvent;
use sim_audio::hearing::{HEARD, find};
use sim_audio::{Clip, FRAME, clips};
use std::path::PathBuf;
use std::time::Duration;
use store::call_ref;

/// What is pressed, but for the `#` that ends it.
pub(super) const DIGITS: &str = "427";

/// Sound is compared in pieces of 400 ms.
const PIECE: usize = 20 * FRAME;
/// How much earlier or later than the whole each piece may be.
const STRETCH: usize = 8 * FRAME;

/// Within this everything that follows the end of a call is done.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);

/// The result of a cell.
#[derive(Debug, Clone, Default)]
pub struct CellResult {
    /// What the caller says it is made of, with its version.
    pub version: Option<String>,
    /// From the answer at the caller to ICE and DTLS done, ms.
    pub connected_ms: Option<u64>,
    /// How well the greeting was heard: 1 is all of it.
    pub greeting: f64,
    /// How well the model heard the question.
    pub question: f64,
    /// How well the answer to it was heard.
    pub answer: f64,
    /// How many keys the product counted; `None`: the caller has none.
    pub keys: Option<u64>,
    /// Whether what the agent said to the keys was heard; `None`: no keys.
    pub keys_answer: Option<f64>,
    /// Packets that came to the caller.
    pub received: u64,
    /// Packets that it missed; `None`: it does not count.
    pub lost: Option<i64>,
    /// Whether RTCP came, both kinds of report.
    pub reports: bool,
    /// Whether RTCP BYE or DTLS close came; `None`: the caller cannot tell.
    pub goodbye: Option<bool>,
    /// Whether the call has ended in the table.
    pub ended: bool,
    /// Protocol violations, and what stopped the conversation.
    pub faults: Vec<String>,
}

impl CellResult {
    /// Returns what is wrong.
    pub fn flaws(&self) -> Vec<String> {
        let heard = |what: &str, how_well: f64| {
            (how_well < HEARD).then(|| format!("{what} was not heard ({how_well:.2})"))
        };
        let missing = |what: &str, is_there: bool| (!is_there).then(|| what.to_owned());
        let flaws = [
            missing("never connected", self.connected_ms.is_some()),
            heard("the greeting", self.greeting),
            heard("the question", self.question),
            heard("the answer", self.answer),
            missing("keys were lost", self.keys.is_none_or(|keys| keys == DIGITS.len() as u64)),
            self.keys_answer.and_then(|how_well| heard("the answer to the keys", how_well)),
            missing("no RTCP", self.reports),
            missing("no goodbye", self.goodbye != Some(false)),
            missing("the call never ended", self.ended),
        ];
        flaws.into_iter().flatten().chain(self.faults.iter().cloned()).collect()
    }
}

/// Places one call of the matrix. `n` distinguishes the callers of a testbed.
pub(super) async fn ring(testbed: &Testbed, cell: Cell, n: u32) -> anyhow::Result<CellResult> {
    let earlier = testbed.model.sessions().len();
    let mut result = CellResult::default();
    let log = folder().join(format!("{}.log", cell.file_name()));
    let mut phone = match Phone::ring(&testbed.meta, cell, n, &log).await {
        Ok(phone) => phone,
        Err(error) => {
            result.faults.push(format!("{error:#}"));
            return Ok(result);
        }
    };
    result.version = phone.version().map(str::to_owned);
    let call_ref = call_ref(phone.id());
    if let Err(error) = converse(&mut phone, cell, &mut result).await {
        result.faults.push(format!("{error:#}"));
    }
    match phone.tell(&file(cell, "caller-heard")).await {
        Ok(told) => result.note(cell, told),
        Err(error) => result.faults.push(format!("{error:#}")),
    }
    match phone.hang_up().await {
        Ok(goodbye) => result.goodbye = goodbye,
        Err(error) => result.faults.push(format!("{error:#}")),
    }
    result.ended = testbed.calls.settled(&call_ref, SETTLED_WITHIN).await.is_ok();
    // The summary comes after the journal's last event.
    testbed.calls.summary(&call_ref).await?;
    let journal = testbed.calls.journal(&call_ref).await?;
    let pressed = |entry: &journal::JournalEntry| match &entry.event {
        JournalEvent::Keys { count } => Some(*count),
        _ => None,
    };
    result.keys = cell.maker.has_keys().then(|| journal.iter().filter_map(pressed).sum());
    let sessions = testbed.model.sessions().split_off(earlier);
    let heard: Vec<i16> = sessions.iter().flat_map(|session| session.heard.clone()).collect();
    sim_audio::wav::write(&file(cell, "model-heard"), &heard)?;
    result.question = how_well(&clips::caller_question(), &heard);
    result.faults.extend(sessions.into_iter().flat_map(|session| session.violations));
    Ok(result)
}

async fn converse(phone: &mut Phone, cell: Cell, result: &mut CellResult) -> anyhow::Result<()> {
    result.connected_ms = Some(phone.connected().await?.as_millis() as u64);
    phone.accepted().await?;
    phone.hear_out().await?;
    phone.say(&clips::caller_question(), &file(cell, "question")).await?;
    phone.hear_out().await?;
    if cell.maker.has_keys() {
        phone.press(&format!("{DIGITS}#")).await?;
        phone.hear_out().await?;
    }
    Ok(())
}

fn file(cell: Cell, what: &str) -> PathBuf {
    folder().join(format!("{}-{what}.wav", cell.file_name()))
}

impl CellResult {
    fn note(&mut self, cell: Cell, told: CallerReport) {
        self.greeting = how_well(&clips::agent_moment(), &told.heard);
        self.answer = how_well(&clips::agent_answer(), &told.heard);
        self.keys_answer = cell.maker.has_keys().then(|| how_well(&clips::agent_keys(), &told.heard));
        (self.received, self.lost, self.reports) = (told.received, told.lost, told.reports);
        self.faults.extend(told.faults);
    }
}

/// How well a recording holds a clip, piece by piece: a phone that plays packets that come unevenly stretches and presses
/// them a little, as browsers do, and what was said is heard all the same.
fn how_well(clip: &Clip, recording: &[i16]) -> f64 {
    let Some(whole) = find(&clip.samples, recording) else { return 0.0 };
    let pieces = clip.samples.chunks_exact(PIECE);
    let fits: Vec<f64> = (0..)
        .zip(pieces)
        .map(|(n, piece)| {
            let at = whole.at + n * PIECE;
            let end = (at + PIECE + STRETCH).min(recording.len());
            let around = &recording[at.saturating_sub(STRETCH).min(end)..end];
            find(piece, around).map_or(0.0, |found| found.correlation)
        })
        .collect();
    fits.iter().sum::<f64>() / fits.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sentence_is_taken_for_another_though_pieces_may_move() {
        let all =
            [clips::agent_moment(), clips::agent_answer(), clips::agent_keys(), clips::caller_question()];
        for clip in &all {
            assert!(how_well(clip, &clip.samples) > 0.99, "{}", clip.name);
            for other in all.iter().filter(|other| other.name != clip.name) {
                let mut recording = vec![0; 24_000];
                recording.extend(&other.samples);
                recording.extend([0; 72_000]);
                let found = how_well(clip, &recording);
                assert!(found < HEARD, "{} in {}: {found}", clip.name, other.name);
            }
        }
    }

    #[test]
    fn a_sentence_that_a_browser_stretched_is_heard() {
        let clip = clips::agent_answer();
        let mut recording = vec![0; 24_000];
        // 60 ms are pressed out of its beginning, and 40 ms put in later.
        recording.extend(&clip.samples[3 * FRAME..40 * FRAME]);
        recording.extend([0; 2 * FRAME]);
        recording.extend(&clip.samples[40 * FRAME..]);

        assert!(how_well(&clip, &recording) > HEARD);
    }

    #[test]
    fn whatever_is_missing_is_a_flaw() {
        let right = CellResult {
            version: None,
            connected_ms: Some(40),
            greeting: 0.95,
            question: 0.95,
            answer: 0.95,
            keys: Some(3),
            keys_answer: Some(0.95),
            received: 500,
            lost: Some(0),
            reports: true,
            goodbye: Some(true),
            ended: true,
            faults: vec![],
        };
        assert_eq!(right.flaws(), Vec::<String>::new());
        let spoilt: [fn(&mut CellResult); 9] = [
            |result| result.connected_ms = None,
            |result| result.greeting = 0.5,
            |result| result.question = 0.5,
            |result| result.answer = 0.5,
            |result| result.keys = Some(2),
            |result| result.keys_answer = Some(0.1),
            |result| result.reports = false,
            |result| result.goodbye = Some(false),
            |result| result.ended = false,
        ];
        for spoil in spoilt {
            let mut result = right.clone();
            spoil(&mut result);
            assert_eq!(result.flaws().len(), 1, "{result:?}");
        }
    }
}
