//! What a call came to: its sound is counted, its tokens and what they cost, for its journal and its summary.

use super::spending::{COUNT_TAKES, Count, SpendingTracker};
use super::{CallSession, ms};
use crate::journal_writer::ttl_after_days;
use audio::{NetworkPath, listening_quality};
use internal_api::keys;
use journal::{CallSummary, JournalEvent, TokenCounts};
use realtime::{Prices, Usage};
use service::time::now_ms;
use std::time::Instant;
use store::items::{number, to_item};
use store::{CallOutcome, CallOwner, DaySpent, Store};
use tokio::sync::mpsc;

impl CallSession {
    /// Notes what became of the sound of both sides, and how well each could hear the other.
    pub(super) fn count_sound(&mut self) {
        let (meter, report) = (self.bridge.meter(), self.parts.peer.report());
        let round_trip = report.told.and_then(|told| told.round_trip);
        let path = |loss| NetworkPath { loss, burst_ratio: 1.0, round_trip: round_trip.unwrap_or_default() };
        let up = meter.path(round_trip.unwrap_or_default());
        let down = report.told.map(|told| path(f64::from(told.loss_so_far)));
        let (mos_up, mos_down) = (up.as_ref().map(hundredths), down.as_ref().map(hundredths));
        let counted = JournalEvent::Media {
            received: meter.received,
            lost: meter.lost,
            recovered: meter.recovered,
            concealed: meter.concealed,
            duplicates: meter.duplicates + report.repeated,
            tardy: meter.tardy,
            foreign: meter.foreign,
            malformed: meter.malformed + report.unreadable,
            flooded: meter.flooded,
            restarts: meter.restarts,
            keys_dropped: meter.keys_dropped,
            sent: meter.sent,
            late_p99_ms: meter.late.percentile(99),
            unsent_to_agent: self.parts.agent.dropped(),
            jitter_up_ms: ms(report.jitter),
            loss_down_permille: report.told.map(|told| (told.loss_so_far * 1_000.0).round() as u64),
            jitter_down_ms: report.told.map(|told| ms(told.jitter)),
            round_trip_ms: round_trip.map(ms),
            mos_up,
            mos_down,
        };
        (self.summary.mos_up, self.summary.mos_down) = (mos_up, mos_down);
        self.note(counted);
    }

    /// What the call took and cost, for its summary and for what is spent in a day.
    pub(super) fn conclude(&mut self) {
        let prices = Prices::built_in();
        let cost = self.cost();
        let agent = &self.parts.role.agent;
        if cost.micro_dollars.is_none() && agent.caps.dollars_a_day.is_some() {
            let (agent, model) = (&agent.name, &self.summary.model);
            tracing::error!(
                agent,
                model,
                "A call to {agent} does not count to its dollars_a_day: {model} has no price"
            );
        }
        let summary = &mut self.summary;
        summary.over_at_ms = now_ms();
        summary.micro_dollars = cost.micro_dollars;
        summary.transcription_priced = cost.transcription_priced;
        summary.prices_of = prices.date.clone();
        summary.tokens = tokens(&self.usage);
        summary.transcript_ms = self.usage.transcript_ms;
        let used = used(summary);
        self.note(used);
        let agent = &self.parts.role.agent;
        if let Some(measuring) = self.measuring.take() {
            self.parts.diary.keep_levels(&self.parts.call_ref, &measuring.levels(), agent.keeping.days);
        }
        let by = self.spender();
        let mut summary = to_item(&self.summary);
        summary.insert(keys::TTL.to_owned(), number(by.forget_at));
        self.parts.diary.conclude(CallOutcome {
            by,
            day: agent.day(self.summary.over_at_ms),
            counted: self.spending.counted(),
            micro_dollars: self.summary.micro_dollars.unwrap_or_default(),
            summary,
            has_opened: self.summary.opened_at_ms.is_some(),
        });
    }

    /// Counts what the call has cost by now, when it is time to; and asks what its number's calls have cost today. The answer
    /// comes as a fact.
    pub(super) fn count_spending(&mut self, now: Instant) {
        if self.spending.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        let spent = self.cost().micro_dollars.unwrap_or_default();
        let Some(count) = self.spending.poll(spent, now) else { return };
        let (ledger, by, counts) = (self.parts.ledger.clone(), self.spender(), self.counts.0.clone());
        let (day, cap) = (self.parts.role.agent.day(now_ms()), self.spending.cap());
        tokio::spawn(async move {
            let counting = tokio::time::timeout(COUNT_TAKES, count_at(&ledger, &by, &day, count, cap));
            let counted = match counting.await {
                Ok(Ok(counted)) => counted,
                Ok(Err(error)) => failed(&by, &format!("{error:#}")),
                Err(_) => failed(&by, "no answer in time"),
            };
            // A count that is made after the call is over is counted all the same.
            let _ = counts.send(counted).await;
        });
    }

    /// The call's cost was counted, or was not: the day's cap may end the call.
    pub(super) fn take_count(&mut self, counted: SpendingCount) {
        self.spending.note_answer(counted.is_made);
        counted.cap_near(self.spending.cap()).into_iter().for_each(|near| self.note(near));
        if counted.day.is_some_and(|day| self.spending.is_reached(day.micro_dollars)) {
            self.bridge.reach_spending_cap();
        }
    }

    fn spender(&self) -> CallOwner {
        CallOwner {
            call_ref: self.parts.call_ref.clone(),
            number: self.parts.number.clone(),
            fence: self.parts.fence,
            forget_at: ttl_after_days(self.parts.role.agent.keeping.days),
        }
    }

    /// What the call has cost by now.
    fn cost(&self) -> Cost {
        let transcription = self.parts.role.agent.model.transcription.as_ref();
        let transcriber = transcription.map(|transcription| transcription.model.as_str());
        Cost::of(Prices::built_in(), &self.usage, &self.summary.model, transcriber)
    }
}

/// What came of a count.
pub(super) struct SpendingCount {
    is_made: bool,
    day: Option<DaySpent>,
    /// Whether this call is the one that tells that the cap is near.
    tells_of_cap: bool,
}

impl SpendingCount {
    /// The event of a cap that is near, if this call is the one that tells it.
    fn cap_near(&self, cap: Option<u64>) -> Option<JournalEvent> {
        let (day, cap_micro_dollars) = self.day.as_ref().filter(|_| self.tells_of_cap).zip(cap)?;
        Some(JournalEvent::CapNear { spent_micro_dollars: day.micro_dollars, cap_micro_dollars })
    }
}

/// What a count that is under way at the end of a call still tells: that the cap is near is told once a day, by this call alone.
pub(super) async fn last_count(
    spending: &SpendingTracker,
    counts: &mut mpsc::Receiver<SpendingCount>,
) -> Option<JournalEvent> {
    if !spending.is_counting() {
        return None;
    }
    let counted = tokio::time::timeout(COUNT_TAKES, counts.recv()).await.ok().flatten()?;
    counted.cap_near(spending.cap())
}

async fn count_at(
    ledger: &Store,
    by: &CallOwner,
    day: &str,
    count: Count,
    cap: Option<u64>,
) -> anyhow::Result<SpendingCount> {
    let counted = match count.from == count.to {
        true => Ok(()),
        false => ledger.count_spent(by, day, count.from, count.to).await,
    };
    let Some(cap) = cap else {
        return counted.map(|()| SpendingCount { is_made: true, day: None, tells_of_cap: false });
    };
    let is_made = counted.is_ok();
    if let Err(error) = counted {
        tracing::warn!(call_ref = by.call_ref, "Cannot count what a call has cost by now: {error:#}");
    }
    // The day is asked for in either case: other calls may have reached the cap.
    let (day_spent, tells_of_cap) = match ledger.spent_under(&by.number, day, cap).await {
        Ok((day_spent, tells_of_cap)) => (Some(day_spent), tells_of_cap),
        Err(error) => {
            tracing::warn!(
                call_ref = by.call_ref,
                "Whether the day's cap is reached is not known: {error:#}"
            );
            (None, false)
        }
    };
    Ok(SpendingCount { is_made, day: day_spent, tells_of_cap })
}

fn failed(by: &CallOwner, why: &str) -> SpendingCount {
    tracing::warn!(call_ref = by.call_ref, "Cannot count what a call has cost by now: {why}");
    SpendingCount { is_made: false, day: None, tells_of_cap: false }
}

/// What the model's sessions took, as it stands in the summary.
fn used(summary: &CallSummary) -> JournalEvent {
    let tokens = summary.tokens;
    JournalEvent::Usage {
        agent: summary.agent.clone(),
        model: summary.model.clone(),
        text_in: tokens.text_in,
        text_cached: tokens.text_cached,
        text_out: tokens.text_out,
        audio_in: tokens.audio_in,
        audio_cached: tokens.audio_cached,
        audio_out: tokens.audio_out,
        transcript_in: tokens.transcript_in,
        transcript_out: tokens.transcript_out,
        transcript_ms: summary.transcript_ms,
        micro_dollars: summary.micro_dollars,
        transcription_priced: summary.transcription_priced,
        prices_of: summary.prices_of.clone(),
    }
}

/// How a path sounds, in hundredths.
fn hundredths(path: &NetworkPath) -> u64 {
    (listening_quality(path) * 100.0).round() as u64
}

/// What a call cost, as far as prices are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    /// Millionths of a dollar; nothing if the model's price is not known.
    micro_dollars: Option<u64>,
    /// Whether writing down the caller's words is in it.
    transcription_priced: bool,
}

impl Cost {
    fn of(prices: &Prices, usage: &Usage, model: &str, transcriber: Option<&str>) -> Self {
        let model = prices.dollars(usage, model);
        let transcript = match transcriber {
            Some(transcriber) if has_transcripts(usage) => prices.transcript_dollars(usage, transcriber),
            Some(_) | None => Some(0),
        };
        Self {
            micro_dollars: model.map(|model| model + transcript.unwrap_or_default()),
            transcription_priced: model.is_some() && transcript.is_some(),
        }
    }
}

fn has_transcripts(usage: &Usage) -> bool {
    let Usage { transcript_audio_in, transcript_text_in, transcript_out, transcript_ms, .. } = *usage;
    transcript_audio_in + transcript_text_in + transcript_out + transcript_ms > 0
}

fn tokens(usage: &Usage) -> TokenCounts {
    let Usage { text_in, text_cached, text_out, audio_in, audio_cached, audio_out, .. } = *usage;
    let transcript_in = usage.transcript_audio_in + usage.transcript_text_in;
    let transcript_out = usage.transcript_out;
    TokenCounts {
        text_in,
        text_cached,
        text_out,
        audio_in,
        audio_cached,
        audio_out,
        transcript_in,
        transcript_out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "gpt-realtime-2.1";

    #[test]
    fn what_writing_down_the_callers_words_cost_is_added_where_its_price_is_known() {
        let cost = |transcriber| Cost::of(&Prices::default(), &usage(), MODEL, Some(transcriber));

        let known = Cost { micro_dollars: Some(19_200 + 17_000), transcription_priced: true };
        assert_eq!(cost("gpt-live-transcribe"), known);
        let cheaper = Cost { micro_dollars: Some(19_200 + 4_500), transcription_priced: true };
        assert_eq!(cost("gpt-transcribe"), cheaper);
        let unknown = Cost { micro_dollars: Some(19_200), transcription_priced: false };
        assert_eq!(cost("another-vendors"), unknown);
    }

    #[test]
    fn a_call_of_which_nothing_was_written_down_is_priced_whole() {
        let usage = Usage { transcript_ms: 0, ..usage() };

        for transcriber in [None, Some("another-vendors")] {
            let cost = Cost::of(&Prices::default(), &usage, MODEL, transcriber);

            assert_eq!(cost, Cost { micro_dollars: Some(19_200), transcription_priced: true });
        }
    }

    #[test]
    fn a_model_without_a_price_costs_nobody_knows_what() {
        let cost = Cost::of(&Prices::default(), &usage(), "another-vendors", Some("gpt-live-transcribe"));

        assert_eq!(cost, Cost { micro_dollars: None, transcription_priced: false });
    }

    #[tokio::test]
    async fn a_count_under_way_at_the_end_still_tells_of_the_cap() {
        let (counts, mut receiver) = mpsc::channel(1);
        let (mut spending, now) = (SpendingTracker::new(Some(1.0)), Instant::now());
        assert_eq!(last_count(&spending, &mut receiver).await, None, "none is under way");
        spending.open(now);
        spending.poll(7, now + COUNT_TAKES * 2).expect("it is time to count");
        let day = DaySpent { micro_dollars: 800_000, is_recorded: false };
        let counted = SpendingCount { is_made: true, day: Some(day), tells_of_cap: true };
        tokio::spawn(async move { counts.send(counted).await });

        let told = last_count(&spending, &mut receiver).await;

        let near = JournalEvent::CapNear { spent_micro_dollars: 800_000, cap_micro_dollars: 1_000_000 };
        assert_eq!(told, Some(near));
    }

    /// A minute of the caller.
    fn usage() -> Usage {
        Usage { audio_in: 600, transcript_ms: 60_000, ..Usage::default() }
    }
}
