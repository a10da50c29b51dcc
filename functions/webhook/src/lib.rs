//! The webhook: checks that it is Meta who speaks, records what it says, and has call-control act on it.
//!
//! The signature is checked over the raw bytes before anything is parsed, and there is no mode without.
//! If recording or handing over fails, Meta gets a 500 and sends again.

mod refusals;
mod request;
mod settings;
pub mod url_event;

pub use settings::{Settings, WebhookSecret};

use aws_config::SdkConfig;
use futures_util::StreamExt;
use journal::JournalEvent;
use lambda_http::{Body, Error, Request, RequestExt, Response};
use refusals::Refusals;
use request::WebhookRequest;
use secrecy::ExposeSecret;
use service::pseudonyms::{PseudonymKeys, Pseudonyms};
use service::secrets::Secret;
use std::sync::Mutex;
use std::time::Instant;
use store::CallControl;
use switchboard::CallStore;
use switchboard::intake::{IntakeSettings, NoticeGroup, groups, keeps_content};
use whatsapp::{Batch, Notice, NoticeKind, challenge, notice, signature};

/// So many things of a batch are recorded at the same time.
const AT_ONCE: usize = 32;

/// Everything an invocation needs, made once while the function starts.
#[derive(Debug)]
pub struct Webhook {
    secret: Secret<WebhookSecret>,
    store: CallStore,
    call_control: CallControl,
    house: IntakeSettings,
    refusals: Mutex<Refusals>,
    marks: Pseudonyms,
}

impl Webhook {
    /// Connects to AWS as the environment and the settings say.
    ///
    /// # Errors
    /// When a secret cannot be had.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        Self::connect(&service::cloud::config().await, settings).await
    }

    /// Connects to this AWS.
    ///
    /// # Errors
    /// When a secret cannot be had.
    pub async fn connect(config: &SdkConfig, settings: Settings) -> anyhow::Result<Self> {
        let store = CallStore::new(aws_sdk_dynamodb::Client::new(config), &settings.table);
        let marks = Pseudonyms::fetch(config, settings.mark_secret.as_deref());
        let (secret, marks) = tokio::join!(Secret::fetch(config, &settings.meta_secret), marks);
        let (secret, marks) = (secret?, marks?);
        let call_control = CallControl::new(aws_sdk_lambda::Client::new(config), &settings.call_control);
        Ok(Self { secret, store, call_control, house: settings.house, refusals: Mutex::default(), marks })
    }

    /// Answers one request.
    ///
    /// # Errors
    /// Never: whatever goes wrong is a status.
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        let response = match request::asked(&request) {
            Ok(WebhookRequest::Verify) => self.verify(&request).await,
            Ok(WebhookRequest::TakeIn(body)) => self.receive(&request, body).await,
            Err((status, why)) => plain(status, why),
        };
        self.tell_refused();
        service::events::flush().await;
        Ok(response)
    }

    /// Says how many webhooks were refused, if that was not said within the last second.
    fn tell_refused(&self) {
        if let Some(count) = self.refusals().poll_count(Instant::now()) {
            let refused = JournalEvent::WebhookRefused { why: "signature".to_owned(), count };
            service::events::report_without_call(&refused, "webhook");
        }
    }

    fn refusals(&self) -> std::sync::MutexGuard<'_, Refusals> {
        self.refusals.lock().expect("nothing panics while it holds this lock")
    }

    /// A token we do not know may be a new one: look once, then decide.
    async fn verify(&self, request: &Request) -> Response<Body> {
        let query = request.query_string_parameters();
        let answer = |secret: &WebhookSecret| {
            challenge::answer(|name| query.first(name), secret.verify_token.expose_secret())
                .map(|challenge| plain(200, challenge))
        };
        let used = self.secret.current().await;
        if let Some(answered) = answer(&used) {
            return answered;
        }
        let answered = self.secret.instead_of(&used).await.and_then(|newer| answer(&newer));
        answered.unwrap_or_else(|| plain(403, "not the verify token"))
    }

    async fn receive(&self, request: &Request, body: &[u8]) -> Response<Body> {
        if !self.is_signed(request, body).await {
            self.refusals().note();
            return plain(401, "not signed by Meta");
        }
        let Ok(batch) = notice::read(body) else {
            return plain(400, "not JSON");
        };
        match self.take_in(batch).await {
            Ok(()) => plain(200, "ok"),
            Err(error) => {
                tracing::error!("Cannot take in a webhook: {error:#}");
                plain(500, "send it again")
            }
        }
    }

    /// A signature under a secret we do not know may be one under a new secret: look once, then decide.
    async fn is_signed(&self, request: &Request, body: &[u8]) -> bool {
        let Some(header) = request.headers().get(signature::HEADER).and_then(|value| value.to_str().ok())
        else {
            return false;
        };
        let used = self.secret.current().await;
        if signature::is_valid(header, body, used.live()) {
            return true;
        }
        let newer = self.secret.instead_of(&used).await;
        newer.is_some_and(|newer| signature::is_valid(header, body, newer.live()))
    }

    /// Takes in all that can be taken in: one thing that fails must not keep another from being recorded.
    async fn take_in(&self, batch: Batch) -> anyhow::Result<()> {
        if batch.chats > 0 {
            tracing::info!(chats = batch.chats, "Counted items about chats, and kept none");
        }
        let now_ms = service::time::now_ms();
        let (later, first) = batch.notices.into_iter().partition(is_looked_up);
        // What may be about others than who rings is looked up last: neither its time nor its failure costs a call.
        let first = self.take_in_all(first, now_ms).await;
        let later = self.take_in_all(later, now_ms).await;
        first.and(later)
    }

    async fn take_in_all(&self, notices: Vec<Notice>, now_ms: u64) -> anyhow::Result<()> {
        let marked_with: Vec<_> =
            self.marks.current().await.into_iter().flat_map(PseudonymKeys::all).cloned().collect();
        let (strangers, forgotten) = tokio::try_join!(
            self.store.strangers(&notices, &self.house),
            self.store.forgotten(&notices, &marked_with, now_ms)
        )?;
        let notices = forgotten.taken_out_of(notices);
        let sent = self.store.sent(&notices, &self.house, &strangers, now_ms).await?;
        let groups = groups(notices, &self.house, &strangers, &sent, now_ms);
        let taken = futures_util::stream::iter(groups).map(|group| self.take_in_group(group, now_ms));
        let taken: Vec<_> = taken.buffer_unordered(AT_ONCE).collect().await;
        taken.into_iter().collect()
    }

    async fn take_in_group(&self, group: NoticeGroup, now_ms: u64) -> anyhow::Result<()> {
        let taken = self.store.take_in(&group, &self.house, now_ms).await?;
        taken.entries.iter().for_each(service::events::report);
        if let Some(call_ref) = taken.tick {
            self.call_control.tick(call_ref).await?;
        }
        for order in &taken.orders {
            self.call_control.order(order).await?;
        }
        Ok(())
    }
}

/// Whether the people in a notice are looked for among those who were forgotten, or its message among the sent ones.
fn is_looked_up(notice: &Notice) -> bool {
    let is_of_chats =
        matches!(notice.what, NoticeKind::MessageFailed { .. } | NoticeKind::UserChanged { .. });
    is_of_chats || keeps_content(&notice.what) || notice.call_id().is_none()
}

fn plain(status: u16, text: &str) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "text/plain")
        .body(Body::Text(text.to_owned()))
        .expect("status and header are valid")
}
