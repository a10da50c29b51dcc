//! The options that name a deployment's parts, and the keys fetched from its secrets.

mod sip_args;

use crate::Common;
use crate::cloud;
use crate::fetched::{FetchError, Fetched};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use call::NumberId;
use clap::Args;
use realtime::connection;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use service::env::Env;
use sip_args::SipArgs;
use std::collections::{BTreeMap, BTreeSet};
use whatsapp::graph;

/// The options that name a deployment's parts, with the same environment variables as the functions and the media task.
///
/// Keys come from the deployment's secrets; `META_ACCESS_TOKEN`, `META_APP_SECRET`, `META_VERIFY_TOKEN` and `OPENAI_API_KEY`
/// take precedence, and `OPENAI_SETUP_KEY` manages webhooks at OpenAI where the other key may not. There are no flags for keys, because
/// every user of a machine can read command lines.
#[derive(Debug, Clone, Args)]
pub(crate) struct DeploymentArgs {
    /// The business number, by Meta's phone number id. Needed only if the deployment has several.
    #[arg(long, env = "AHOY_NUMBER", value_name = "ID")]
    pub(crate) number: Option<NumberId>,
    /// The number's WhatsApp Business account id. Needed only if the token does not list its accounts.
    #[arg(long, env = "WABA_ID", value_name = "ID")]
    pub(crate) account: Option<String>,
    /// The deployment's webhook [default: read from the stack, or from the stack that Meta's secret is named after].
    #[arg(long, env = "WEBHOOK_URL", value_name = "URL")]
    pub(crate) webhook_url: Option<String>,
    /// The secret with Meta's keys, by name or ARN [default: the stack's, such as ahoy/meta].
    #[arg(long, env = "META_SECRET", value_name = "SECRET")]
    pub(crate) meta_secret: Option<String>,
    #[command(flatten)]
    pub(crate) secrets: SecretArgs,
    #[command(flatten)]
    pub(crate) sip: SipArgs,
    /// The call-control function, by name or ARN [default: the stack's, such as ahoy-call-control].
    #[arg(long, env = "CALL_CONTROL", value_name = "FUNCTION")]
    pub(crate) call_control: Option<String>,
    /// The Graph API's base URL, version included.
    #[arg(long, env = "GRAPH_URL", value_name = "URL", default_value = graph::URL)]
    pub(crate) graph_url: String,
    /// The Realtime API's URL.
    #[arg(long, env = "REALTIME_URL", value_name = "URL", default_value = connection::URL)]
    pub(crate) realtime_url: String,
    /// The model of agents whose file names none.
    #[arg(long, env = "REALTIME_MODEL", value_name = "MODEL", default_value = connection::MODEL)]
    pub(crate) model: String,
}

impl DeploymentArgs {
    /// Returns the name of the webhook's Lambda function, as the template sets it.
    pub(crate) fn webhook_function(&self, common: &Common) -> String {
        format!("{}-webhook", self.stack(common))
    }

    /// Returns the name of the SIP line's secret: the given one, else the one that the template names after the stack.
    pub(crate) fn line_secret(&self, common: &Common) -> String {
        let given = self.sip.line_secret().map(str::to_owned);
        given.unwrap_or_else(|| format!("{}/line", self.stack(common)))
    }

    /// Returns the stack's name: the given one, else the one that Meta's secret is named after.
    pub(crate) fn stack(&self, common: &Common) -> String {
        let meta_secret = self.meta_secret(common);
        let of_secret = name_of(&meta_secret).strip_suffix("/meta");
        common.stack().or(of_secret).unwrap_or("ahoy").to_owned()
    }

    pub(crate) fn meta_secret(&self, common: &Common) -> String {
        common.name_or_default(self.meta_secret.as_ref(), "/meta")
    }

    pub(crate) fn call_control(&self, common: &Common) -> String {
        common.name_or_default(self.call_control.as_ref(), "-call-control")
    }
}

/// The options that name the secrets with the media tasks' keys and the pseudonym key.
#[derive(Debug, Clone, Args)]
pub(crate) struct SecretArgs {
    /// The secret with the media tasks' keys, by name or ARN [default: the stack's, such as ahoy/media].
    #[arg(long, env = "MEDIA_SECRET", value_name = "SECRET")]
    pub(crate) media_secret: Option<String>,
    /// The secret with the key of users' pseudonyms, by name or ARN [default: the media secret's name with `marks` for `media`].
    #[arg(long, env = "MARK_SECRET", value_name = "SECRET")]
    pub(crate) mark_secret: Option<String>,
}

impl SecretArgs {
    /// Returns the name of the secret with the pseudonym key: `ahoy/marks` beside `ahoy/media`.
    pub(crate) fn mark_secret(&self, common: &Common) -> String {
        let given = self.mark_secret.clone().filter(|name| !name.is_empty());
        given.unwrap_or_else(|| mark_secret_beside(&self.media_secret(common)))
    }

    pub(crate) fn media_secret(&self, common: &Common) -> String {
        common.name_or_default(self.media_secret.as_ref(), "/media")
    }
}

/// Returns a secret's name, given its name or ARN; an ARN ends with the name, a hyphen and six characters.
fn name_of(secret: &str) -> &str {
    let name = secret.split_once(":secret:").map(|(_, name)| name);
    name.map_or(secret, |name| name.rsplit_once('-').map_or(name, |(name, _)| name))
}

fn mark_secret_beside(media_secret: &str) -> String {
    let name = name_of(media_secret);
    name.strip_suffix("media").map_or_else(|| format!("{name}-marks"), |stack| format!("{stack}marks"))
}

/// A deployment's keys, each fetched or with the reason why not.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) access_token: Fetched<SecretString>,
    /// Signs webhooks and, joined with the app's id, is the app's own access token.
    pub(crate) app_secret: Fetched<SecretString>,
    /// The token in Meta's challenge of the webhook.
    pub(crate) verify_token: Fetched<SecretString>,
    pub(crate) openai_api_key: Fetched<SecretString>,
    /// The key that manages webhooks at OpenAI, where the other one may not.
    pub(crate) openai_setup_key: Option<SecretString>,
    /// The id of the secret with Meta's keys, if it could be read.
    pub(crate) meta_secret: Fetched<String>,
    /// The id of the media tasks' secret, if it could be read.
    pub(crate) media_secret: Fetched<String>,
    /// The names of the keys in it that agent files refer to.
    pub(crate) tool_secrets: Fetched<BTreeSet<String>>,
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
    #[serde(default)]
    tool_secrets: BTreeMap<String, SecretString>,
}

/// A secret's JSON, with the keys that must not be empty.
trait SecretContent {
    fn keys(&self) -> Vec<(&'static str, &SecretString)>;
}

impl SecretContent for MetaKeys {
    fn keys(&self) -> Vec<(&'static str, &SecretString)> {
        let Self { access_token, app_secret, verify_token } = self;
        vec![("access_token", access_token), ("app_secret", app_secret), ("verify_token", verify_token)]
    }
}

impl SecretContent for MediaTaskKeys {
    fn keys(&self) -> Vec<(&'static str, &SecretString)> {
        vec![("openai_api_key", &self.openai_api_key), ("door_key", &self.door_key)]
    }
}

impl Keys {
    /// Reads the keys from the environment, and fetches the others from Secrets Manager.
    pub(crate) async fn fetch(args: &DeploymentArgs, common: &Common, aws: &SdkConfig) -> Self {
        let env = Env::of_process();
        let (meta, media) = (args.meta_secret(common), args.secrets.media_secret(common));
        let (meta, media) =
            tokio::join!(secret::<MetaKeys>(&meta, aws), secret::<MediaTaskKeys>(&media, aws),);
        let key = |name: &str, stored: Fetched<SecretString>| env.secret(name).map_or(stored, Ok);
        let of_meta = |pick: fn(MetaKeys) -> SecretString| key_of(&meta, pick);
        Self {
            access_token: key("META_ACCESS_TOKEN", of_meta(|it| it.access_token)),
            app_secret: key("META_APP_SECRET", of_meta(|it| it.app_secret)),
            verify_token: key("META_VERIFY_TOKEN", of_meta(|it| it.verify_token)),
            openai_setup_key: env.secret("OPENAI_SETUP_KEY"),
            tool_secrets: tool_secrets(&media),
            openai_api_key: key("OPENAI_API_KEY", key_of(&media, |it| it.openai_api_key)),
            meta_secret: meta.map(|(id, _)| id),
            media_secret: media.map(|(id, _)| id),
        }
    }
}

/// Returns the names of the keys that agent files refer to and that are there.
fn tool_secrets(media: &Fetched<(String, MediaTaskKeys)>) -> Fetched<BTreeSet<String>> {
    let (_, keys) = media.clone().map_err(|error| FetchError { is_wrong: false, ..error })?;
    let keys = keys.tool_secrets.into_iter().filter(|(_, key)| !key.expose_secret().is_empty());
    Ok(keys.map(|(name, _)| name).collect())
}

/// Returns one key of a secret. A missing secret is the secret's own finding; for its keys it only means that they are unknown.
fn key_of<T: Clone>(secret: &Fetched<(String, T)>, pick: fn(T) -> SecretString) -> Fetched<SecretString> {
    let key = secret.clone().map(|(_, secret)| pick(secret));
    key.map_err(|error| FetchError { is_wrong: false, ..error })
}

async fn secret<T: DeserializeOwned + SecretContent>(id: &str, aws: &SdkConfig) -> Fetched<(String, T)> {
    if aws.region().is_none() {
        return Err(FetchError::because(cloud::NO_REGION));
    }
    let fetched = Client::new(aws).get_secret_value().secret_id(id).send().await;
    let fetched = fetched.map_err(|error| {
        let is_missing =
            error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception());
        let whole = anyhow::Error::from(error);
        if is_missing {
            FetchError::missing(format!("there is no secret {id} in this account and region"))
        } else {
            cloud::fetch_error(&whole, &format!("the secret {id}"))
        }
    })?;
    let text = fetched
        .secret_string()
        .ok_or_else(|| FetchError::missing(format!("the secret {id} holds no text")))?;
    // serde_json's error text could quote the secret.
    let value: Result<T, _> = serde_json::from_str(text);
    let value = value.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        FetchError::missing(format!(
            "the secret {id} lacks a key, or is not JSON: line {line}, column {column}"
        ))
    })?;
    // A new deployment creates its secrets with empty keys.
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
        args: DeploymentArgs,
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
            let line = Line::try_parse_from(arguments).expect("the command line parses");

            assert_eq!(line.args.webhook_function(&line.common), function);
        }
    }

    #[test]
    fn the_stack_names_every_part_that_is_not_named() {
        let names = |arguments: &[&str]| {
            let line = Line::try_parse_from([&[""], arguments].concat()).expect("the command line parses");
            let (args, common) = (&line.args, &line.common);
            [
                common.table(),
                args.meta_secret(common),
                args.secrets.media_secret(common),
                args.secrets.mark_secret(common),
                args.call_control(common),
                args.webhook_function(common),
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
    fn the_pseudonym_secret_is_named_beside_the_media_secret() {
        assert_eq!(mark_secret_beside("ahoy/media"), "ahoy/marks");
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-2/media-AbCdEf";
        assert_eq!(mark_secret_beside(arn), "shop-2/marks");
        assert_eq!(mark_secret_beside("keys"), "keys-marks");
    }
}
