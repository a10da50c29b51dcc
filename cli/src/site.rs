//! Which deployment is meant, and the keys that open what belongs to it.

use crate::Common;
use crate::cloud;
use crate::fetched::{FetchError, Fetched};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use clap::Args;
use realtime::connection;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use service::env::Env;
use whatsapp::graph;

/// Which deployment is meant. The variables are those of the functions and of the media task.
///
/// Keys come from the deployment's secrets. What stands in `META_ACCESS_TOKEN`, `META_APP_SECRET`, `META_VERIFY_TOKEN` or
/// `OPENAI_API_KEY` goes before them; there are no flags for keys, since everybody on a machine can read those.
#[derive(Debug, Clone, Args)]
pub struct Site {
    /// The business number: Meta's id of it. Not needed while the deployment has one only.
    #[arg(long, env = "AHOY_NUMBER", value_name = "ID")]
    pub number: Option<String>,
    /// The number's WhatsApp Business account. Not needed while the token says for which accounts it is.
    #[arg(long, env = "WABA_ID", value_name = "ID")]
    pub account: Option<String>,
    /// Where the deployment's webhook is. Without it, the stack is asked, or the one that Meta's secret is named after.
    #[arg(long, env = "WEBHOOK_URL", value_name = "URL")]
    pub webhook_url: Option<String>,
    /// The secret with Meta's keys: its name or ARN. Without it, the stack's, `ahoy/meta`.
    #[arg(long, env = "META_SECRET", value_name = "SECRET")]
    pub meta_secret: Option<String>,
    #[command(flatten)]
    pub media: MediaKeys,
    /// The function that acts on calls: its name or ARN. Without it, the stack's, `ahoy-call-control`.
    #[arg(long, env = "CALL_CONTROL", value_name = "FUNCTION")]
    pub call_control: Option<String>,
    /// The Graph API, with its version.
    #[arg(long, env = "GRAPH_URL", value_name = "URL", default_value = graph::URL)]
    pub graph_url: String,
    /// The Realtime API.
    #[arg(long, env = "REALTIME_URL", value_name = "URL", default_value = connection::URL)]
    pub realtime_url: String,
    /// The model of agents that name none.
    #[arg(long, env = "REALTIME_MODEL", value_name = "MODEL", default_value = connection::MODEL)]
    pub model: String,
}

impl Site {
    /// The webhook's name in Lambda, as the template gives it.
    pub fn webhook_function(&self, common: &Common) -> String {
        let meta_secret = self.meta_secret(common);
        let of_secret = name_of(&meta_secret).strip_suffix("/meta");
        format!("{}-webhook", common.stack().or(of_secret).unwrap_or("ahoy"))
    }

    /// The secret with Meta's keys.
    pub fn meta_secret(&self, common: &Common) -> String {
        common.named(self.meta_secret.as_ref(), "/meta")
    }

    /// The function that acts on calls.
    pub fn call_control(&self, common: &Common) -> String {
        common.named(self.call_control.as_ref(), "-call-control")
    }
}

/// Where the media tasks' keys are: the model's, and the one that users are marked by.
#[derive(Debug, Clone, Args)]
pub struct MediaKeys {
    /// The secret with the media tasks' keys: its name or ARN. Without it, the stack's, `ahoy/media`.
    #[arg(long, env = "MEDIA_SECRET", value_name = "SECRET")]
    pub media_secret: Option<String>,
    /// The secret with the key of users' marks: its name or ARN. Without one, `media` in the other's name is replaced by `marks`.
    #[arg(long, env = "MARK_SECRET", value_name = "SECRET")]
    pub mark_secret: Option<String>,
}

impl MediaKeys {
    /// The name of the secret with the key of marks: `ahoy/marks` beside `ahoy/media`.
    pub fn mark_secret(&self, common: &Common) -> String {
        let named = self.mark_secret.clone().filter(|name| !name.is_empty());
        named.unwrap_or_else(|| beside(&self.media_secret(common)))
    }

    /// The secret with the media tasks' keys.
    pub fn media_secret(&self, common: &Common) -> String {
        common.named(self.media_secret.as_ref(), "/media")
    }
}

/// The name of a secret that is given by its name or ARN: that one ends with the name, a hyphen and six characters.
fn name_of(secret: &str) -> &str {
    let name = secret.split_once(":secret:").map(|(_, name)| name);
    name.map_or(secret, |name| name.rsplit_once('-').map_or(name, |(name, _)| name))
}

fn beside(media_secret: &str) -> String {
    let name = name_of(media_secret);
    name.strip_suffix("media").map_or_else(|| format!("{name}-marks"), |stack| format!("{stack}marks"))
}

/// The keys of a deployment.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Meta's access token.
    pub access_token: Fetched<SecretString>,
    /// Signs webhooks; with the app's id it is the app's own token.
    pub app_secret: Fetched<SecretString>,
    /// Known to Meta's challenge.
    pub verify_token: Fetched<SecretString>,
    /// The model's.
    pub openai_api_key: Fetched<SecretString>,
    /// Whether Meta's secret was there and readable.
    pub meta_secret: Fetched<String>,
    /// Whether the media tasks' secret was.
    pub media_secret: Fetched<String>,
}

#[derive(Clone, Deserialize)]
struct MetaKeys {
    access_token: SecretString,
    app_secret: SecretString,
    verify_token: SecretString,
}

#[derive(Clone, Deserialize)]
struct MediaTaskKeys {
    openai_api_key: SecretString,
    door_key: SecretString,
}

/// What a secret must hold, by name.
trait Kept {
    fn keys(&self) -> Vec<(&'static str, &SecretString)>;
}

impl Kept for MetaKeys {
    fn keys(&self) -> Vec<(&'static str, &SecretString)> {
        let Self { access_token, app_secret, verify_token } = self;
        vec![("access_token", access_token), ("app_secret", app_secret), ("verify_token", verify_token)]
    }
}

impl Kept for MediaTaskKeys {
    fn keys(&self) -> Vec<(&'static str, &SecretString)> {
        vec![("openai_api_key", &self.openai_api_key), ("door_key", &self.door_key)]
    }
}

impl Keys {
    /// Fetches them: from the environment, else from the secrets.
    pub async fn fetch(site: &Site, common: &Common, aws: &SdkConfig) -> Self {
        let env = Env::of_process();
        let (meta, media) = (site.meta_secret(common), site.media.media_secret(common));
        let (meta, media) =
            tokio::join!(secret::<MetaKeys>(&meta, aws), secret::<MediaTaskKeys>(&media, aws),);
        let key = |name: &str, stored: Fetched<SecretString>| env.secret(name).map_or(stored, Ok);
        let of_meta = |pick: fn(MetaKeys) -> SecretString| key_of(&meta, pick);
        Self {
            access_token: key("META_ACCESS_TOKEN", of_meta(|it| it.access_token)),
            app_secret: key("META_APP_SECRET", of_meta(|it| it.app_secret)),
            verify_token: key("META_VERIFY_TOKEN", of_meta(|it| it.verify_token)),
            openai_api_key: key("OPENAI_API_KEY", key_of(&media, |it| it.openai_api_key)),
            meta_secret: meta.map(|(id, _)| id),
            media_secret: media.map(|(id, _)| id),
        }
    }
}

/// A key of a secret. That the secret is not there is said of the secret, and only keeps us from whatever needs the key.
fn key_of<T: Clone>(secret: &Fetched<(String, T)>, pick: fn(T) -> SecretString) -> Fetched<SecretString> {
    let key = secret.clone().map(|(_, secret)| pick(secret));
    key.map_err(|unseen| FetchError { is_wrong: false, ..unseen })
}

async fn secret<T: DeserializeOwned + Kept>(id: &str, aws: &SdkConfig) -> Fetched<(String, T)> {
    if aws.region().is_none() {
        return Err(FetchError::because(cloud::NO_REGION));
    }
    let fetched = Client::new(aws).get_secret_value().secret_id(id).send().await;
    let fetched = fetched.map_err(|error| {
        let gone = error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception());
        let whole = anyhow::Error::from(error);
        if gone {
            FetchError::missing(format!("there is no secret {id} in this account and region"))
        } else {
            cloud::unseen(&whole, &format!("the secret {id}"))
        }
    })?;
    let text = fetched
        .secret_string()
        .ok_or_else(|| FetchError::missing(format!("the secret {id} holds no text")))?;
    // The error of serde_json could quote the secret.
    let value: Result<T, _> = serde_json::from_str(text);
    let value = value.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        FetchError::missing(format!(
            "the secret {id} lacks a key, or is no JSON: line {line}, column {column}"
        ))
    })?;
    // A deployment makes its secrets with nothing in them.
    let empty = T::keys(&value).into_iter().find(|(_, key)| key.expose_secret().is_empty());
    match empty {
        Some((name, _)) => Err(FetchError::missing(format!("the secret {id} has no {name} yet"))),
        None => Ok((id.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        site: Site,
    }

    #[test]
    fn the_webhook_is_named_after_the_stack_or_after_metas_secret() {
        for (arguments, function) in [
            (&["", "--stack", "shop", "--meta-secret", "ahoy/meta"][..], "shop-webhook"),
            (&["", "--meta-secret", "shop/meta"], "shop-webhook"),
            (
                &["", "--meta-secret", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x"],
                "ahoy-webhook",
            ),
            (
                &[
                    "",
                    "--meta-secret",
                    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/meta-AbCdEf",
                ],
                "shop-webhook",
            ),
            (&["", "--stack", "", "--meta-secret", "shop/meta"], "shop-webhook"),
        ] {
            let line = Line::try_parse_from(arguments).expect("it is a command line");

            assert_eq!(line.site.webhook_function(&line.common), function);
        }
    }

    #[test]
    fn a_stack_names_all_that_belongs_to_it_unless_another_name_is_given() {
        let names = |arguments: &[&str]| {
            let line = Line::try_parse_from([&[""], arguments].concat()).expect("it is a command line");
            let (site, common) = (&line.site, &line.common);
            [
                common.table(),
                site.meta_secret(common),
                site.media.media_secret(common),
                site.media.mark_secret(common),
                site.call_control(common),
                site.webhook_function(common),
            ]
        };

        let of = |stack: &str| {
            ["", "/meta", "/media", "/marks", "-call-control", "-webhook"]
                .map(|part| format!("{stack}{part}"))
        };
        assert_eq!(names(&[]), of("ahoy"));
        assert_eq!(names(&["--stack", ""]), of("ahoy"));
        assert_eq!(names(&["--stack", "shop"]), of("shop"));
        let given =
            names(&["--stack", "shop", "--table", "calls", "--meta-secret", "m", "--call-control", "c"]);
        assert_eq!(given, ["calls", "m", "shop/media", "shop/marks", "c", "shop-webhook"]);
    }

    #[test]
    fn the_key_of_marks_lies_beside_the_media_tasks_keys() {
        assert_eq!(beside("ahoy/media"), "ahoy/marks");
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-2/media-AbCdEf";
        assert_eq!(beside(arn), "shop-2/marks");
        assert_eq!(beside("keys"), "keys-marks");
    }
}
