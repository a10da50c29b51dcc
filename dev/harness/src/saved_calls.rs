//! The calls that rehearsals have saved: their table in a file and the key of their pseudonyms, for `ahoy` to read later.

use anyhow::{Context, bail};
use call::CallRef;
use local::stack::{TABLE, fresh_key};
use local::{Binaries, root};
use secrecy::SecretString;
use serde_json::json;
use sim_aws::{Cloud, CloudConfig};
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use store::items::Item;
use store::{Store, key_of};
use tokio::process::Command;

/// The table's file, and the key's.
const TABLES: &str = "table.sqlite";
const KEY: &str = "door-key";

/// Commands that need more than the table.
const ELSEWHERE: [&str; 3] = ["doctor", "setup", "number"];

/// The saved table, open.
#[derive(Debug)]
pub struct SavedCalls {
    cloud: Cloud,
    store: Store,
}

/// The control API key of this folder's rehearsals: the same for all of them, so that a caller has the same pseudonym in each.
pub fn control_api_key(folder: &Path) -> anyhow::Result<SecretString> {
    let path = folder.join(KEY);
    if !path.exists() {
        std::fs::write(&path, fresh_key()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let key = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(SecretString::from(key))
}

/// Runs `ahoy` on the calls saved in a folder.
pub async fn ahoy(folder: &Path, arguments: &[OsString], binaries: &Binaries) -> anyhow::Result<ExitCode> {
    if !folder.join(TABLES).exists() {
        bail!("there is no call to look at in {}: make call", folder.display());
    }
    if let Some(command) = asked_of_an_account(arguments) {
        bail!(
            "make call leaves its calls, and nothing at Meta or in an account that {command} could look at: use the ahoy command itself, with yours"
        );
    }
    let saved = SavedCalls::open(folder).await?;
    let mut ahoy = Command::new(binaries.path("ahoy"));
    let status = ahoy.args(arguments).envs(saved.environment()).status().await.context("cannot run ahoy")?;
    saved.cloud.stop().await;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The command that looks at Meta and at a deployment, if it is one of those and not only asked how it is used.
fn asked_of_an_account(arguments: &[OsString]) -> Option<&str> {
    let mut words = arguments.iter().filter_map(|argument| argument.to_str());
    let is_help = words.clone().any(|word| matches!(word, "--help" | "-h"));
    words.find(|word| !word.starts_with('-')).filter(|word| ELSEWHERE.contains(word) && !is_help)
}

impl SavedCalls {
    /// Opens what this folder's rehearsals have left, or begins it.
    pub async fn open(folder: &Path) -> anyhow::Result<Self> {
        let key = control_api_key(folder)?;
        let mut config = CloudConfig::new(root().join("template.yaml"));
        config.tables_in = Some(folder.join(TABLES));
        config.secrets = [("media", media_secret(&key)), ("marks", mark_secret(&key))]
            .map(|(name, secret)| (name.to_owned(), secret))
            .into();
        let cloud = Cloud::start(config).await?;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), TABLE);
        Ok(Self { cloud, store })
    }

    /// Takes over what is in a rehearsal's table, except its media tasks, which are gone with it. A call rehearsed again replaces the
    /// earlier one of the same id.
    pub async fn take_over(self, from: &Store) -> anyhow::Result<()> {
        let mut kept = vec![];
        from.scan(|item| {
            if key_of(&item).is_some_and(|(pk, _)| !pk.starts_with("TASK#")) {
                kept.push(item);
            }
        })
        .await?;
        let calls: HashSet<_> = kept.iter().filter_map(call_of).collect();
        let mut replaced = vec![];
        self.store
            .scan(|item| {
                if call_of(&item).is_some_and(|call| calls.contains(&call)) {
                    replaced.extend(key_of(&item));
                }
            })
            .await?;
        self.store.delete_items(&replaced).await.context("cannot delete the earlier rehearsal")?;
        for item in kept {
            self.store.put(item).await.context("cannot keep the rehearsal's table")?;
        }
        self.cloud.stop().await;
        Ok(())
    }

    /// The environment in which `ahoy` shows it.
    fn environment(&self) -> BTreeMap<String, String> {
        let named = [("TABLE", TABLE), ("MEDIA_SECRET", "media")];
        let named = named.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.cloud.environment().into_iter().chain(named).collect()
    }
}

/// The call that an item belongs to, or that it lists.
fn call_of(item: &Item) -> Option<CallRef> {
    let (pk, sk) = key_of(item)?;
    let listed = || sk.strip_prefix("CALL#")?.split_once('#').map(|(_, call)| call.into());
    store::keys::call_ref(&pk).or_else(listed)
}

fn media_secret(key: &SecretString) -> String {
    use secrecy::ExposeSecret;
    json!({"door_key": key.expose_secret()}).to_string()
}

/// As `make secrets` makes it of a new stack.
fn mark_secret(key: &SecretString) -> String {
    use secrecy::ExposeSecret;
    json!({"mark_key": key.expose_secret(), "made_at_ms": 0}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;

    #[test]
    fn what_make_call_does_not_leave_is_not_looked_for() {
        let asked = |line: &str| {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            asked_of_an_account(&words).is_some()
        };

        assert!(asked("doctor") && asked("--json number show") && asked("setup --yes"));
        assert!(!asked("calls") && !asked("show 4ac12468779c") && !asked("doctor --help"));
    }

    #[tokio::test]
    async fn a_call_rehearsed_again_replaces_the_earlier_one() {
        let folder = std::env::temp_dir().join(format!("ahoy-saved-calls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let key = |pk: &str, sk: &str| (pk.to_owned(), sk.to_owned());
        let other = key("CALL#def", "STATE");
        let first =
            [key("CALL#abc", "EV#1"), key("CALL#abc", "EV#2"), key("CALLS#22", "CALL#1#abc"), other.clone()];
        let again = [key("CALL#abc", "EV#1"), key("CALLS#22", "CALL#2#abc"), key("TASK#t", "LEASE")];

        rehearsed(&folder, &first).await;
        rehearsed(&folder, &again).await;

        let saved = SavedCalls::open(&folder).await.unwrap();
        let mut found = vec![];
        saved.store.scan(|item| found.extend(key_of(&item))).await.unwrap();
        found.sort();
        assert_eq!(found, [again[0].clone(), other, again[1].clone()]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// Takes over a rehearsal's table that has items with these keys.
    async fn rehearsed(folder: &Path, keys: &[store::Key]) {
        let cloud = Cloud::start(CloudConfig::new(root().join("template.yaml"))).await.unwrap();
        let table = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), TABLE);
        for (pk, sk) in keys {
            let item = [("pk", pk), ("sk", sk)]
                .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.clone())));
            table.put(item.into()).await.unwrap();
        }
        SavedCalls::open(folder).await.unwrap().take_over(&table).await.unwrap();
        cloud.stop().await;
    }
}
