//! The webhook function: verifies Meta's signature, records the notices, and orders call-control to act on them; with the SIP line, OpenAI's
//! events of incoming calls likewise.
//!
//! The signature is verified over the raw bytes before anything is parsed, and there is no mode without it. When recording or ordering
//! fails, the sender gets a 500 and sends again.

mod openai;
mod refusals;
mod request;
mod settings;
pub mod url_event;

pub use openai::LineSecret;
pub use settings::{Settings, SipSettings, WebhookSecret};

use aws_config::SdkConfig;
use futures_util::StreamExt;
use internal_api::client::CallControl;
use journal::JournalEvent;
use lambda_http::{Body, Error, Request, RequestExt, Response};
use openai::SipLine;
use refusals::Refusals;
use request::WebhookRequest;
use secrecy::ExposeSecret;
use service::pseudonym_keys::{PseudonymKeys, Pseudonyms};
use service::secrets::Secret;
use std::sync::Mutex;
use std::time::Instant;
use store::Store;
use switchboard::intake::{Intake, IntakeResult, NoticeGroup, keeps_content};
use whatsapp::{Batch, Notice, NoticeKind, challenge, notice, signature};

/// How many groups of a batch are recorded concurrently.
const AT_ONCE: usize = 32;

/// The clients and secrets of all invocations, made once at start-up.
#[derive(Debug)]
pub struct Webhook {
    secret: Secret<WebhookSecret>,
    call_control: CallControl,
    intake: Intake,
    sip: Option<SipLine>,
    refusals: Mutex<Refusals>,
    refusals_of_openai: Mutex<Refusals>,
    pseudonyms: Pseudonyms,
}

impl Webhook {
    /// Connects to AWS as the environment says.
    ///
    /// # Errors
    /// When a secret cannot be read.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        Self::connect(&service::cloud::config().await, settings).await
    }

    /// Connects to AWS with this configuration.
    ///
    /// # Errors
    /// When a secret cannot be read.
    pub async fn connect(config: &SdkConfig, settings: Settings) -> anyhow::Result<Self> {
        let store = Store::new(aws_sdk_dynamodb::Client::new(config), &settings.table);
        let pseudonyms = Pseudonyms::fetch(config, settings.mark_secret.as_deref());
        let sip = async {
            match settings.sip {
                Some(sip) => Some(SipLine::start(config, sip).await),
                None => None,
            }
        };
        let (secret, pseudonyms, sip) =
            tokio::join!(Secret::fetch(config, &settings.meta_secret), pseudonyms, sip);
        let (secret, pseudonyms) = (secret?, pseudonyms?);
        let call_control = CallControl::new(aws_sdk_lambda::Client::new(config), &settings.call_control);
        Ok(Self {
            secret,
            call_control,
            intake: Intake::new(store, settings.intake),
            sip,
            refusals: Mutex::default(),
            refusals_of_openai: Mutex::default(),
            pseudonyms,
        })
    }

    /// Replies to one request.
    ///
    /// # Errors
    /// Never: every failure is an HTTP status.
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        let response = match request::parse(&request, self.sip.is_some()) {
            Ok(WebhookRequest::Verify) => self.verify(&request).await,
            Ok(WebhookRequest::Record(body)) => self.receive(&request, body).await,
            Ok(WebhookRequest::OpenAi(body)) => self.receive_from_openai(&request, body).await,
            Err((status, why)) => plain(status, why),
        };
        self.report_refusals();
        service::events::flush().await;
        Ok(response)
    }

    /// Logs the number of refused requests, at most once a second.
    fn report_refusals(&self) {
        for (why, refusals) in [("signature", &self.refusals), ("openai-signature", &self.refusals_of_openai)]
        {
            if let Some(count) = locked(refusals).poll_count(Instant::now()) {
                let refused = JournalEvent::WebhookRefused { why: why.to_owned(), count };
                service::events::report_without_call(&refused, "webhook");
            }
        }
    }

    /// Answers Meta's challenge. An unknown verify token may be a new one, so the secret is read once more before refusing.
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
            locked(&self.refusals).count();
            return plain(401, "not signed by Meta");
        }
        let Ok(batch) = notice::read(body) else {
            return plain(400, "not JSON");
        };
        match self.record_batch(batch).await {
            Ok(()) => plain(200, "ok"),
            Err(error) => {
                tracing::error!("cannot record a webhook, Meta will send it again: {error:#}");
                plain(500, "send it again")
            }
        }
    }

    /// Whether the signature is valid. One under an unknown app secret may be under a new one, so the secret is read once more before
    /// refusing.
    async fn is_signed(&self, request: &Request, body: &[u8]) -> bool {
        let Some(header) = request.headers().get(signature::HEADER).and_then(|value| value.to_str().ok())
        else {
            return false;
        };
        let used = self.secret.current().await;
        if signature::is_valid(header, body, used.app_secrets()) {
            return true;
        }
        let newer = self.secret.instead_of(&used).await;
        newer.is_some_and(|newer| signature::is_valid(header, body, newer.app_secrets()))
    }

    /// Records everything that can be recorded: a notice that fails must not keep another from being recorded.
    async fn record_batch(&self, batch: Batch) -> anyhow::Result<()> {
        if batch.chats > 0 {
            tracing::info!(chats = batch.chats, "items about chats counted and discarded");
        }
        let now_ms = service::time::now_ms();
        let (later, first) = batch.notices.into_iter().partition(needs_lookup);
        // Notices that need lookups beyond the ringing call come last: neither their time nor their failure costs a call.
        let first = self.record_notices(first, now_ms).await;
        let later = self.record_notices(later, now_ms).await;
        first.and(later)
    }

    async fn record_notices(&self, notices: Vec<Notice>, now_ms: u64) -> anyhow::Result<()> {
        let pseudonym_keys: Vec<_> =
            self.pseudonyms.current().await.into_iter().flat_map(PseudonymKeys::all).cloned().collect();
        let (unknown_numbers, tombstones) = tokio::try_join!(
            self.intake.unknown_numbers(&notices),
            self.intake.tombstones(&notices, &pseudonym_keys, now_ms)
        )?;
        let notices = tombstones.redact(notices);
        let sent = self.intake.sent_messages(&notices, &unknown_numbers, now_ms).await?;
        let groups = self.intake.groups(notices, &unknown_numbers, &sent, now_ms);
        let recorded = futures_util::stream::iter(groups).map(|group| self.record_group(group, now_ms));
        let recorded: Vec<_> = recorded.buffer_unordered(AT_ONCE).collect().await;
        recorded.into_iter().collect()
    }

    async fn record_group(&self, group: NoticeGroup, now_ms: u64) -> anyhow::Result<()> {
        let recorded = self.intake.record_group(&group, now_ms).await?;
        self.act_on(recorded).await
    }

    /// Logs what was recorded, and orders call-control to act on it.
    async fn act_on(&self, recorded: IntakeResult) -> anyhow::Result<()> {
        recorded.entries.iter().for_each(service::events::report);
        if let Some(call_ref) = recorded.tick {
            self.call_control.tick(call_ref).await?;
        }
        for order in &recorded.orders {
            self.call_control.order(order).await?;
        }
        Ok(())
    }
}

/// Whether a notice's people are looked up among the tombstones, or its message among those we sent.
fn needs_lookup(notice: &Notice) -> bool {
    let is_of_chats =
        matches!(notice.what, NoticeKind::MessageFailed { .. } | NoticeKind::UserChanged { .. });
    is_of_chats || keeps_content(&notice.what) || notice.call_id().is_none()
}

fn locked(refusals: &Mutex<Refusals>) -> std::sync::MutexGuard<'_, Refusals> {
    refusals.lock().expect("nothing panics while it holds this lock")
}

fn plain(status: u16, text: &str) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "text/plain")
        .body(Body::Text(text.to_owned()))
        .expect("status and header are valid")
}
