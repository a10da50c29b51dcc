//! The webhook: checks that it is Meta who speaks, records what it says, and has call-control act on it.
//!
//! The signature is checked over the raw bytes before anything is parsed, and there is no mode without.
//! If recording or handing over fails, Meta gets a 500 and sends again.

mod settings;

pub use settings::{MetaSecret, Settings};

use lambda_http::{Body, Error, Request, RequestExt, Response};
use ledger::CallControl;
use secrecy::ExposeSecret;
use service::secrets::Secret;
use switchboard::Store;
use switchboard::intake::{House, Next};
use whatsapp::{Notice, challenge, notice, signature};

/// The largest body Meta sends, bytes.
const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// Everything an invocation needs, made once while the function starts.
#[derive(Debug)]
pub struct Webhook {
    secret: Secret<MetaSecret>,
    store: Store,
    call_control: CallControl,
    house: House,
}

impl Webhook {
    /// Connects to AWS as the settings say.
    ///
    /// # Errors
    /// When the secret cannot be had.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let config = service::cloud::config().await;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&config), &settings.table);
        let secret = Secret::fetch(&config, &settings.meta_secret).await?;
        let call_control = CallControl::new(aws_sdk_lambda::Client::new(&config), &settings.call_control);
        Ok(Self { secret, store, call_control, house: settings.house })
    }

    /// Answers one request.
    ///
    /// # Errors
    /// Never: whatever goes wrong is a status.
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        Ok(match request.method().as_str() {
            "GET" => self.verify(&request),
            "POST" => self.receive(&request).await,
            _ => plain(405, "only GET and POST"),
        })
    }

    fn verify(&self, request: &Request) -> Response<Body> {
        let query = request.query_string_parameters();
        let secret = self.secret.value();
        match challenge::answer(|name| query.first(name), secret.verify_token.expose_secret()) {
            Some(challenge) => plain(200, challenge),
            None => plain(403, "not the verify token"),
        }
    }

    async fn receive(&self, request: &Request) -> Response<Body> {
        let body = match request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        if body.len() > LARGEST_BODY {
            return plain(413, "too large");
        }
        if !self.is_signed(request, body).await {
            tracing::warn!("Rejected a webhook whose signature is not Meta's");
            return plain(401, "not signed by Meta");
        }
        let Ok(notices) = notice::read(body) else {
            return plain(400, "not JSON");
        };
        match self.take_in(&notices).await {
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
        if signature::is_valid(header, body, self.secret.value().live()) {
            return true;
        }
        let refreshed = self.secret.refresh().await.unwrap_or_else(|error| {
            tracing::warn!("Cannot look for a new app secret: {error:#}");
            false
        });
        refreshed && signature::is_valid(header, body, self.secret.value().live())
    }

    async fn take_in(&self, notices: &[Notice]) -> anyhow::Result<()> {
        for notice in notices {
            let now_ms = service::time::now_ms();
            let (next, entry) = self.store.take_in(notice, &self.house, now_ms).await?;
            if let Some(entry) = entry {
                service::logs::line(&entry.to_line());
            }
            if let Next::Tick { call_ref } = next {
                self.call_control.tick(call_ref).await?;
            }
        }
        Ok(())
    }
}

fn plain(status: u16, text: &str) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "text/plain")
        .body(Body::Text(text.to_owned()))
        .expect("status and header are valid")
}
