//! Reports what a call came to: media statistics, token usage and cost, for its journal, its summary and the day's spending.

use super::spending::{COUNT_TIMEOUT, Count, SpendingTracker};
use super::{CallSession, ms};
use crate::journal_writer::ttl_after_days;
use audio::{NetworkPath, listening_quality};
use journal::{CallSummary, JournalEvent, TokenCounts};
use realtime::{Prices, Usage};
use service::time::now_ms;
use std::time::Instant;
use store::items::{number, to_item};
use store::keys;
use store::{CallOutcome, CallOwner, DaySpent, Store};
use tokio::sync::mpsc;

impl CallSession {
    /// Writes the media statistics of both directions to the journal: loss, jitter, concealment, round trip, MOS.
    pub(super) fn note_media(&mut self) {
        let (meter, report) = (self.bridge.meter(), self.parts.peer.report());
        let round_trip = report.remote.and_then(|remote| remote.round_trip);
        let path = |loss| NetworkPath { loss, burst_ratio: 1.0, round_trip: round_trip.unwrap_or_default() };
        let up = meter.path(round_trip.unwrap_or_default());
        let down = report.remote.map(|remote| path(f64::from(remote.loss_so_far)));
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
            unsent_to_agent: self.parts.model.dropped(),
            jitter_up_ms: ms(report.jitter),
            loss_down_permille: report.remote.map(|remote| (remote.loss_so_far * 1_000.0).round() as u64),
            jitter_down_ms: report.remote.map(|remote| ms(remote.jitter)),
            round_trip_ms: round_trip.map(ms),
            mos_up,
            mos_down,
        };
        (self.summary.mos_up, self.summary.mos_down) = (mos_up, mos_down);
        self.note(counted);
    }

    /// Writes the call's usage and summary, and adds its cost to the day's spending.
    pub(super) fn conclude(&mut self) {
        let prices = Prices::built_in();
        let cost = self.cost();
        let agent = &self.parts.agent.file;
        if cost.micro_dollars.is_none() && agent.caps.dollars_a_day.is_some() {
            let (agent, model) = (&agent.name, &self.summary.model);
            tracing::error!(
                agent,
                model,
                "a call to {agent} does not count towards its dollars_a_day: no price for {model}"
            );
        }
        let summary = &mut self.summary;
        summary.over_at_ms = now_ms();
        summary.micro_dollars = cost.micro_dollars;
        summary.transcription_priced = cost.transcription_priced;
        summary.prices_of = prices.date.clone();
        summary.tokens = tokens(&self.usage);
        summary.transcript_ms = self.usage.transcript_ms;
        let usage = usage_event(summary);
        self.note(usage);
        let agent = &self.parts.agent.file;
        if let Some(levels) = self.levels.take() {
            self.parts.journal.keep_levels(&self.parts.call_ref, &levels.into_levels(), agent.keeping.days);
        }
        let by = self.owner();
        let mut summary = to_item(&self.summary);
        summary.insert(keys::TTL.to_owned(), number(by.forget_at));
        self.parts.journal.conclude(CallOutcome {
            by,
            day: agent.day(self.summary.over_at_ms),
            counted: self.spending.counted(),
            micro_dollars: self.summary.micro_dollars.unwrap_or_default(),
            summary,
            has_opened: self.summary.opened_at_ms.is_some(),
        });
    }

    /// Counts the call's cost so far when that is due, and reads what its number has spent today. The result comes as an input of
    /// the loop.
    pub(super) fn count_spending(&mut self, now: Instant) {
        if self.spending.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        let spent = self.cost().micro_dollars.unwrap_or_default();
        let Some(count) = self.spending.poll(spent, now) else { return };
        let (store, by, counts) = (self.parts.store.clone(), self.owner(), self.counts.0.clone());
        let (day, cap) = (self.parts.agent.file.day(now_ms()), self.spending.cap());
        tokio::spawn(async move {
            let counting = tokio::time::timeout(COUNT_TIMEOUT, count_at(&store, &by, &day, count, cap));
            let counted = match counting.await {
                Ok(Ok(counted)) => counted,
                Ok(Err(error)) => count_failed(&by, &format!("{error:#}")),
                Err(_) => count_failed(&by, "no answer in time"),
            };
            // The receiver may be gone: a count made after the call is over counts all the same.
            let _ = counts.send(counted).await;
        });
    }

    /// Handles the result of a count: if the day's cap is reached, the call ends.
    pub(super) fn handle_count(&mut self, counted: SpendingCount) {
        self.spending.note_answer(counted.succeeded);
        counted.cap_near_event(self.spending.cap()).into_iter().for_each(|near| self.note(near));
        if counted.day.is_some_and(|day| self.spending.is_reached(day.micro_dollars)) {
            self.bridge.reach_spending_cap();
        }
    }

    fn owner(&self) -> CallOwner {
        CallOwner {
            call_ref: self.parts.call_ref.clone(),
            number: self.parts.number.clone(),
            fence: self.parts.fence,
            forget_at: ttl_after_days(self.parts.agent.file.keeping.days),
        }
    }

    /// Returns what the call has cost so far.
    fn cost(&self) -> Cost {
        let transcription = self.parts.agent.file.model.transcription.as_ref();
        let transcriber = transcription.map(|transcription| transcription.model.as_str());
        Cost::of(Prices::built_in(), &self.usage, &self.summary.model, transcriber)
    }
}

/// The result of a count.
pub(super) struct SpendingCount {
    succeeded: bool,
    day: Option<DaySpent>,
    /// Whether this call is the one to report that the cap is near: it is reported once a day.
    reports_cap: bool,
}

impl SpendingCount {
    /// Returns the event of a cap that is near, if this call is the one to report it.
    fn cap_near_event(&self, cap: Option<u64>) -> Option<JournalEvent> {
        let (day, cap_micro_dollars) = self.day.as_ref().filter(|_| self.reports_cap).zip(cap)?;
        Some(JournalEvent::CapNear { spent_micro_dollars: day.micro_dollars, cap_micro_dollars })
    }
}

/// Waits for a count that is under way at the end of the call, and returns its event of a cap that is near: only this call
/// would report it.
pub(super) async fn last_cap_event(
    spending: &SpendingTracker,
    counts: &mut mpsc::Receiver<SpendingCount>,
) -> Option<JournalEvent> {
    if !spending.is_counting() {
        return None;
    }
    let counted = tokio::time::timeout(COUNT_TIMEOUT, counts.recv()).await.ok().flatten()?;
    counted.cap_near_event(spending.cap())
}

async fn count_at(
    store: &Store,
    by: &CallOwner,
    day: &str,
    count: Count,
    cap: Option<u64>,
) -> anyhow::Result<SpendingCount> {
    let counted = match count.from == count.to {
        true => Ok(()),
        false => store.count_spent(by, day, count.from, count.to).await,
    };
    let Some(cap) = cap else {
        return counted.map(|()| SpendingCount { succeeded: true, day: None, reports_cap: false });
    };
    let succeeded = counted.is_ok();
    if let Err(error) = counted {
        tracing::warn!(call_ref = by.call_ref, "counting the call's cost failed: {error:#}");
    }
    // Read even if the count failed: other calls may have reached the cap.
    let (day_spent, reports_cap) = match store.spent_under(&by.number, day, cap).await {
        Ok((day_spent, reports_cap)) => (Some(day_spent), reports_cap),
        Err(error) => {
            tracing::warn!(
                call_ref = by.call_ref,
                "reading the day's spending failed, cap not checked: {error:#}"
            );
            (None, false)
        }
    };
    Ok(SpendingCount { succeeded, day: day_spent, reports_cap })
}

fn count_failed(by: &CallOwner, why: &str) -> SpendingCount {
    tracing::warn!(call_ref = by.call_ref, "counting the call's cost failed: {why}");
    SpendingCount { succeeded: false, day: None, reports_cap: false }
}

/// Returns the usage event with the figures of the summary.
fn usage_event(summary: &CallSummary) -> JournalEvent {
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

/// Returns a path's listening quality (MOS), in hundredths.
fn hundredths(path: &NetworkPath) -> u64 {
    (listening_quality(path) * 100.0).round() as u64
}

/// The cost of a call, as far as prices are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    /// Millionths of a dollar; `None` if the model has no price.
    micro_dollars: Option<u64>,
    /// Whether the cost of transcription is included.
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
    fn transcription_is_added_where_its_price_is_known() {
        let cost = |transcriber| Cost::of(&Prices::default(), &usage(), MODEL, Some(transcriber));

        let known = Cost { micro_dollars: Some(19_200 + 17_000), transcription_priced: true };
        assert_eq!(cost("gpt-live-transcribe"), known);
        let cheaper = Cost { micro_dollars: Some(19_200 + 4_500), transcription_priced: true };
        assert_eq!(cost("gpt-transcribe"), cheaper);
        let unknown = Cost { micro_dollars: Some(19_200), transcription_priced: false };
        assert_eq!(cost("another-vendors"), unknown);
    }

    #[test]
    fn a_call_without_transcription_is_priced_completely() {
        let usage = Usage { transcript_ms: 0, ..usage() };

        for transcriber in [None, Some("another-vendors")] {
            let cost = Cost::of(&Prices::default(), &usage, MODEL, transcriber);

            assert_eq!(cost, Cost { micro_dollars: Some(19_200), transcription_priced: true });
        }
    }

    #[test]
    fn a_model_without_a_price_has_no_cost() {
        let cost = Cost::of(&Prices::default(), &usage(), "another-vendors", Some("gpt-live-transcribe"));

        assert_eq!(cost, Cost { micro_dollars: None, transcription_priced: false });
    }

    #[tokio::test]
    async fn a_count_under_way_at_the_end_reports_the_cap() {
        let (counts, mut receiver) = mpsc::channel(1);
        let (mut spending, now) = (SpendingTracker::new(Some(1.0)), Instant::now());
        assert_eq!(last_cap_event(&spending, &mut receiver).await, None, "none is under way");
        spending.open(now);
        spending.poll(7, now + COUNT_TIMEOUT * 2).expect("it is time to count");
        let day = DaySpent { micro_dollars: 800_000, is_recorded: false };
        let counted = SpendingCount { succeeded: true, day: Some(day), reports_cap: true };
        tokio::spawn(async move { counts.send(counted).await });

        let event = last_cap_event(&spending, &mut receiver).await;

        let near = JournalEvent::CapNear { spent_micro_dollars: 800_000, cap_micro_dollars: 1_000_000 };
        assert_eq!(event, Some(near));
    }

    /// Returns the usage of a minute of the caller's speech.
    fn usage() -> Usage {
        Usage { audio_in: 600, transcript_ms: 60_000, ..Usage::default() }
    }
}
