//! The end of a call for its owner: its sound and its costs are counted, its minutes closed, the model let go, and
//! call-control told until it has heard it.

use super::{Over, Owner, Parts, ms};
use crate::agent::News;
use bridge::{Path, listening_quality};
use call::Ending;
use journal::{Event, Line, Phase, Tokens};
use ledger::CallControl;
use protocol::order::Order;
use realtime::{Prices, Usage};
use service::time::now_ms;
use std::time::{Duration, Instant};

/// So long one report may take: call-control may be waiting for Meta.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before an unanswered report is made again.
const REPORT_AGAIN: Duration = Duration::from_secs(2);

/// So long the words of what the caller said last may take.
const LAST_WORDS_TAKE: Duration = Duration::from_secs(1);

/// So often the end is reported. After that it is for whoever finds the call overdue.
const REPORTS: u32 = 30;

impl Owner {
    /// Leaves the call.
    pub(super) async fn leave(mut self, over: Over) {
        let (control, call_ref, fence) =
            (self.parts.control.clone(), self.parts.call_ref.clone(), self.parts.fence);
        let reporting = async move {
            if let Over::Because(ending) = over {
                report(&control, call_ref, fence, ending).await;
            }
        };
        if over == Over::Because(Ending::MediaNeverConnected) {
            self.give_up_media(Instant::now());
        }
        self.parts.journal.enter_phase(Phase::Over);
        self.count_sound();
        let reported = if self.minutes.awaits_words() {
            // The caller said something last that is just being written down; the hang-up does not wait for that.
            let reported = tokio::spawn(reporting);
            let _ = tokio::time::timeout(LAST_WORDS_TAKE, self.hear_last_words()).await;
            self.close_books();
            reported
        } else {
            self.close_books();
            tokio::spawn(reporting)
        };
        let Parts { agent, mut peer, socket, .. } = self.parts;
        // The model's session ends with the conversation, however long the rest takes.
        drop(agent);
        // It can only fail with the whole task.
        let _ = reported.await;
        peer.close();
        while let Some((to, datagram)) = peer.poll_datagram() {
            // Nobody waits for a goodbye that is lost.
            let _ = socket.try_send_to(&datagram, to);
        }
    }

    fn close_books(&mut self) {
        self.close_minutes();
        self.conclude();
    }

    async fn hear_last_words(&mut self) {
        while self.minutes.awaits_words() {
            let line = self.parts.agent.next().await;
            self.parts.agent.handle(line, Instant::now());
            while let Some(news) = self.parts.agent.poll_news() {
                match news {
                    News::CallerSaid(item, text) => self.minutes.caller_said(&item.0, &text, now_ms()),
                    News::Used(usage) => self.usage += usage,
                    News::Failed { .. } => return,
                    News::Ready
                    | News::Doing(_)
                    | News::BeginsWhatWasAsked(_)
                    | News::CallerBegan(_)
                    | News::AgentSaid(..)
                    | News::Uses { .. }
                    | News::Lost(_)
                    | News::Restored(..)
                    | News::Troubled(_) => {}
                }
            }
        }
    }

    /// Keeps a line of the conversation, if the agent keeps any.
    pub(super) fn keep_line(&self, line: &Line) {
        let keeping = self.parts.role.agent.keeping;
        if keeping.transcripts {
            self.parts.diary.keep_line(&self.parts.call_ref, line, keeping.days);
        }
    }

    fn count_sound(&mut self) {
        let (meter, report) = (self.bridge.meter(), self.parts.peer.report());
        let round_trip = report.told.and_then(|told| told.round_trip);
        let path = |loss| Path { loss, burst_ratio: 1.0, round_trip: round_trip.unwrap_or_default() };
        let up = meter.path(round_trip.unwrap_or_default());
        let down = report.told.map(|told| path(f64::from(told.loss_so_far)));
        let (mos_up, mos_down) = (up.as_ref().map(hundredths), down.as_ref().map(hundredths));
        let counted = Event::Media {
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

    fn close_minutes(&mut self) {
        for heard in self.bridge.abandon() {
            self.minutes.was_heard(&heard);
        }
        self.write_lines();
        while let Some(line) = self.minutes.poll_rest() {
            self.keep_line(&line);
        }
        (self.summary.turns, self.summary.turn_p50_ms, self.summary.turn_p95_ms) = self.minutes.turns();
    }

    /// What the call took and cost, for its summary and for what is spent in a day.
    fn conclude(&mut self) {
        let prices = Prices::built_in();
        let agent = &self.parts.role.agent;
        let transcriber =
            agent.model.transcription.as_ref().map(|transcription| transcription.model.as_str());
        let cost = Cost::of(prices, &self.usage, &self.summary.model, transcriber);
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
        let tokens = summary.tokens;
        let usage = Event::Usage {
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
        };
        self.note(usage);
        let agent = &self.parts.role.agent;
        if let Some(measuring) = self.measuring.take() {
            self.parts.diary.keep_levels(&self.parts.call_ref, &measuring.levels(), agent.keeping.days);
        }
        self.parts.diary.conclude(&self.summary, &agent.day(self.summary.over_at_ms), agent.keeping.days);
    }
}

/// How a path sounds, in hundredths.
fn hundredths(path: &Path) -> u64 {
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

fn tokens(usage: &Usage) -> Tokens {
    let Usage { text_in, text_cached, text_out, audio_in, audio_cached, audio_out, .. } = *usage;
    let transcript_in = usage.transcript_audio_in + usage.transcript_text_in;
    let transcript_out = usage.transcript_out;
    Tokens {
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

/// Tells call-control that a call is over, and why.
async fn report(control: &CallControl, call_ref: String, fence: u64, ending: Ending) {
    let order = Order::TaskEnded { call_ref, fence, ending: word(ending) };
    for _ in 0..REPORTS {
        match tokio::time::timeout(PATIENCE, control.ask(&order)).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => tracing::warn!("Call-control did not hear of the end yet: {error:#}"),
            Err(_) => tracing::warn!("Call-control took too long to hear of the end"),
        }
        tokio::time::sleep(REPORT_AGAIN).await;
    }
}

fn word(ending: Ending) -> String {
    let word = serde_json::to_value(ending).ok().and_then(|word| word.as_str().map(str::to_owned));
    word.expect("an ending is written as a word")
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
        let unknown = Cost { micro_dollars: Some(19_200), transcription_priced: false };
        assert_eq!(cost("gpt-transcribe"), unknown);
    }

    #[test]
    fn a_call_of_which_nothing_was_written_down_is_priced_whole() {
        let usage = Usage { transcript_ms: 0, ..usage() };

        for transcriber in [None, Some("gpt-transcribe")] {
            let cost = Cost::of(&Prices::default(), &usage, MODEL, transcriber);

            assert_eq!(cost, Cost { micro_dollars: Some(19_200), transcription_priced: true });
        }
    }

    #[test]
    fn a_model_without_a_price_costs_nobody_knows_what() {
        let cost = Cost::of(&Prices::default(), &usage(), "somebody-elses", Some("gpt-live-transcribe"));

        assert_eq!(cost, Cost { micro_dollars: None, transcription_priced: false });
    }

    /// A minute of the caller.
    fn usage() -> Usage {
        Usage { audio_in: 600, transcript_ms: 60_000, ..Usage::default() }
    }
}
