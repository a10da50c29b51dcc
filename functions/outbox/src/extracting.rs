//! Has a text model extract what an agent's file asks for, once a call, and keeps its answer.

use crate::destinations::Destination;
use crate::stored_call::Call;
use crate::{MODEL_TIMEOUT, Outbox};
use agents::Extract;
use deliveries::extraction::{self, Extraction};
use journal::JournalEvent;
use openai_responses::{Question, Reply, ResponsesError, TokensUsed};
use realtime::Prices;
use service::time::now_ms;
use std::time::Duration;
use store::items::to_item;
use store::{OutboxItem, keys};

/// What came of an extraction.
pub(crate) enum Extracted {
    /// The event can be sent.
    Ready,
    /// The model is to be asked again later.
    Later {
        /// How long OpenAI asks to wait.
        retry_after: Option<Duration>,
    },
}

/// Returns what was extracted from a call for an event, if anything was to be.
pub(crate) fn kept(destination: &Destination, call: &Call) -> Option<Extraction> {
    let extract = destination.extract()?;
    let nothing_said = || Extraction::failed(&extract.model, "no_transcript", Some(0));
    call.extraction.clone().or_else(|| extraction::input(&call.facts).is_none().then(nothing_said))
}

impl Outbox {
    /// Has the model extract from a call's transcript what an event needs, if it was not asked before, and keeps its answer.
    pub(crate) async fn extract(
        &self,
        destination: &Destination,
        call: &Call,
        item: &OutboxItem,
    ) -> anyhow::Result<Extracted> {
        let Some(extract) = destination.extract().filter(|_| kept(destination, call).is_none()) else {
            return Ok(Extracted::Ready);
        };
        let Some(input) = extraction::input(&call.facts) else { return Ok(Extracted::Ready) };
        let began_ms = now_ms();
        let language = call.language.as_deref().unwrap_or(&destination.agent.language);
        let asked = self.ask(extract, language, &input).await;
        let took_ms = now_ms().saturating_sub(began_ms);
        let event = |outcome: &str, code: &str, micro_dollars| JournalEvent::AfterExtracted {
            model: extract.model.clone(),
            outcome: outcome.to_owned(),
            code: code.to_owned(),
            took_ms,
            micro_dollars,
        };
        let extraction = match asked {
            Ok(reply) => of_reply(extract, reply),
            Err(error) if error.is_worth_another_try() && extraction::is_asked_again(item.tries) => {
                self.note(call, item, event("again", error.word(), None)).await?;
                return Ok(Extracted::Later { retry_after: error.retry_after() });
            }
            Err(error) => Extraction::failed(&extract.model, error.word(), Some(0)),
        };
        self.keep(destination, call, &extraction).await?;
        let code = extraction.error.as_deref().unwrap_or_default();
        let outcome = if code.is_empty() { "done" } else { "failed" };
        self.note(call, item, event(outcome, code, extraction.micro_dollars)).await?;
        Ok(Extracted::Ready)
    }

    /// Asks within [`MODEL_TIMEOUT`], with a newer key if the one at hand is refused.
    async fn ask(&self, extract: &Extract, language: &str, input: &str) -> Result<Reply, ResponsesError> {
        let asked = tokio::time::timeout(MODEL_TIMEOUT, self.ask_with_current_key(extract, language, input));
        let late = || ResponsesError::Unanswered { reason: "no reply in time".to_owned() };
        asked.await.unwrap_or_else(|_| Err(late()))
    }

    async fn ask_with_current_key(
        &self,
        extract: &Extract,
        language: &str,
        input: &str,
    ) -> Result<Reply, ResponsesError> {
        let (instructions, schema) = (extraction::instructions(extract, language), extract.schema());
        let question =
            Question { model: &extract.model, instructions: &instructions, input, schema: &schema };
        // A pooled connection may be dead: Lambda freezes this process between invocations.
        let responses = self.responses.without_connections().unwrap_or_else(|_| self.responses.clone());
        let secret = self.secret.current().await;
        let asked = responses.ask(question, &secret.openai_api_key).await;
        match asked {
            Err(ResponsesError::Misconfigured { .. }) => match self.secret.instead_of(&secret).await {
                Some(newer) => responses.ask(question, &newer.openai_api_key).await,
                None => asked,
            },
            _ => asked,
        }
    }

    /// Keeps what was extracted as long as the transcript, and counts its cost to the number's day.
    async fn keep(
        &self,
        destination: &Destination,
        call: &Call,
        extraction: &Extraction,
    ) -> anyhow::Result<()> {
        let now_ms = now_ms();
        let agent = &destination.agent;
        let forget_at = call.lines_expire_at.unwrap_or_else(|| keys::forget_at(now_ms));
        let cost = extraction.micro_dollars.unwrap_or_default();
        let (call_ref, number) = (&call.facts.call_ref, &call.facts.number);
        let item = to_item(extraction);
        self.store.keep_extraction(call_ref, item, forget_at, number, &agent.day(now_ms), cost).await?;
        Ok(())
    }

    /// Records in the journal of the call what came of a request to the model.
    async fn note(&self, call: &Call, item: &OutboxItem, event: JournalEvent) -> anyhow::Result<()> {
        let mut entry = call.journal("outbox-extract").enter(event, now_ms());
        entry.sequence = item.number_of_try();
        service::events::report(&entry);
        Ok(self.store.write(&entry).await?)
    }
}

fn of_reply(extract: &Extract, reply: Reply) -> Extraction {
    let TokensUsed { input, cached, output } = reply.tokens;
    let cost = Prices::built_in().text_dollars(input, cached, output, &extract.model);
    match reply.answer {
        Ok(answer) => Extraction::done(extract, answer, cost),
        Err(no_answer) => Extraction::failed(&extract.model, no_answer.word(), cost),
    }
}
