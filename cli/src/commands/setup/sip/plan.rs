//! Decides what `ahoy setup --sip` changes, from what is there.

use crate::meta::is_same_url;
use crate::sip_line::{LineSecret, Rotated};
use openai_calls::ProjectError;
use openai_calls::project::{Endpoint, INCOMING};
use serde::Serialize;

/// What is there.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) secret: LineSecret,
    /// Our webhook's address.
    pub(super) url: String,
    pub(super) endpoints: Result<Vec<Endpoint>, ProjectError>,
}

/// What the operator wants beside what is missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) rotate: &'a [Rotated],
    pub(super) forgets_old: bool,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Makes the webhook at OpenAI, and stores its secret.
    MakeEndpoint { url: String },
    /// Has the webhook get incoming calls, too.
    Subscribe { id: String, before: String, event_types: Vec<String> },
    /// Rotates the webhook's secret at OpenAI, and stores the new one.
    RotateSecret { id: String, is_known: bool },
    /// Stores the secret of a webhook that the operator makes or rotates in the dashboard.
    TakeSecret { is_known: bool },
    /// Makes a key for the trunk, and stores it.
    MakeTrunkKey { is_known: bool },
    /// Takes what was replaced out of the secret.
    ForgetOld(Rotated),
}

/// A change as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// Returns the changes that are needed, in their order.
///
/// # Errors
/// When OpenAI did not answer. That the key may not manage webhooks is no error: then the operator does it.
pub(super) fn steps(facts: &Facts, wanted: &Wanted<'_>) -> Result<Vec<Step>, ProjectError> {
    let mut steps = of_webhook(facts, wanted)?;
    let has_key = facts.secret.trunk_key().is_some();
    if !has_key || wanted.rotate.contains(&Rotated::TrunkKey) {
        steps.push(Step::MakeTrunkKey { is_known: has_key });
    }
    if wanted.forgets_old {
        let old = Rotated::ALL.into_iter().filter(|what| facts.secret.has_old(*what));
        steps.extend(old.map(Step::ForgetOld));
    }
    Ok(steps)
}

fn of_webhook(facts: &Facts, wanted: &Wanted<'_>) -> Result<Vec<Step>, ProjectError> {
    let is_known = facts.secret.webhook_secret().is_some();
    let needs_secret = !is_known || wanted.rotate.contains(&Rotated::WebhookSecret);
    let endpoints = match &facts.endpoints {
        Ok(endpoints) => endpoints,
        Err(ProjectError::Forbidden { .. }) => {
            return Ok(needs_secret.then_some(Step::TakeSecret { is_known }).into_iter().collect());
        }
        Err(error) => return Err(error.clone()),
    };
    let ours: Vec<_> = endpoints.iter().filter(|endpoint| is_same_url(&endpoint.url, &facts.url)).collect();
    let Some(endpoint) = ours.iter().find(|endpoint| endpoint.gets_calls()).or_else(|| ours.first()) else {
        return Ok(vec![Step::MakeEndpoint { url: facts.url.clone() }]);
    };
    let id = endpoint.id.clone();
    let subscribe = (!endpoint.gets_calls()).then(|| Step::Subscribe {
        id: id.clone(),
        before: endpoint.event_types.join(", "),
        event_types: endpoint.event_types.iter().cloned().chain([INCOMING.to_owned()]).collect(),
    });
    // OpenAI shows a secret once: one that is not known can only be replaced.
    let rotate = needs_secret.then_some(Step::RotateSecret { id, is_known });
    Ok(subscribe.into_iter().chain(rotate).collect())
}

impl Wanted<'_> {
    /// Nothing but what is missing.
    pub(super) fn nothing() -> Self {
        Self { rotate: &[], forgets_old: false }
    }
}

impl Facts {
    /// Says what the operator must know or do beside the changes.
    pub(super) fn notes(&self) -> Vec<String> {
        match &self.endpoints {
            Err(error @ ProjectError::Forbidden { .. }) => vec![format!(
                "Webhooks cannot be looked at: {error}. OPENAI_SETUP_KEY may hold a key that can. Else make or look at the webhook by hand: \
                 platform.openai.com, Settings, Project, Webhooks; URL {}; event {INCOMING} alone.",
                self.url
            )],
            Err(_) => vec![],
            Ok(endpoints) => {
                let ours = endpoints.iter().filter(|endpoint| is_same_url(&endpoint.url, &self.url)).count();
                let several = || {
                    format!(
                        "{ours} webhooks of the project lead to {}: delete all but the one whose secret is stored.",
                        self.url
                    )
                };
                (ours > 1).then(several).into_iter().collect()
            }
        }
    }
}

impl Step {
    /// Returns the change as it is shown: without any secret.
    pub(super) fn row(&self) -> Row {
        let row = |what: &str, before: &str, after: &str| Row {
            what: what.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
        };
        let known = |is_known: &bool| if *is_known { "set" } else { "none" };
        let kept = |what: Rotated, is_known: &bool| {
            if *is_known {
                format!("a new one; the old one stays valid as {}", what.old_name())
            } else {
                "a new one".to_owned()
            }
        };
        match self {
            Self::MakeEndpoint { url } => row("webhook at OpenAI", "none", &format!("{INCOMING} → {url}")),
            Self::Subscribe { before, event_types, .. } => {
                row("events of the webhook at OpenAI", before, &event_types.join(", "))
            }
            Self::RotateSecret { is_known, .. } => row(
                Rotated::WebhookSecret.name(),
                known(is_known),
                &format!(
                    "rotated at OpenAI, which signs with both for 24 hours: {}",
                    kept(Rotated::WebhookSecret, is_known)
                ),
            ),
            Self::TakeSecret { is_known } => row(
                Rotated::WebhookSecret.name(),
                known(is_known),
                &format!("as the dashboard shows it: {}", kept(Rotated::WebhookSecret, is_known)),
            ),
            Self::MakeTrunkKey { is_known } => {
                row(Rotated::TrunkKey.name(), known(is_known), &kept(Rotated::TrunkKey, is_known))
            }
            Self::ForgetOld(what) => row(what.old_name(), "still valid", "none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const URL: &str = "https://a.example/openai";

    #[test]
    fn a_new_line_gets_a_webhook_and_a_trunk_key() {
        let facts = facts(json!({"openai_webhook_secret": "", "sip_trunk_key": ""}), Ok(vec![]));

        let made = [Step::MakeEndpoint { url: URL.to_owned() }, Step::MakeTrunkKey { is_known: false }];
        assert_eq!(planned(&facts), made);
    }

    #[test]
    fn a_line_that_is_set_up_needs_nothing() {
        assert_eq!(planned(&facts(whole(), Ok(vec![endpoint(URL, &[INCOMING])]))), []);
        assert_eq!(planned(&facts(whole(), Err(forbidden()))), [], "the operator made it");
    }

    #[test]
    fn a_webhook_keeps_its_events_and_gets_calls_too() {
        let facts = facts(whole(), Ok(vec![endpoint(URL, &["batch.completed"])]));

        let [Step::Subscribe { event_types, .. }] = &planned(&facts)[..] else { panic!("one change") };
        assert_eq!(event_types, &["batch.completed", INCOMING]);
    }

    #[test]
    fn a_secret_that_is_not_known_is_replaced() {
        let unknown = || json!({"openai_webhook_secret": "", "sip_trunk_key": "k"});
        let there = facts(
            unknown(),
            Ok(vec![endpoint("https://b.example/", &[INCOMING]), endpoint(URL, &[INCOMING])]),
        );

        assert_eq!(planned(&there), [Step::RotateSecret { id: URL.to_owned(), is_known: false }]);
        let not_allowed = facts(unknown(), Err(forbidden()));
        assert_eq!(planned(&not_allowed), [Step::TakeSecret { is_known: false }]);
        assert!(not_allowed.notes()[0].contains(URL));
    }

    #[test]
    fn both_values_are_rotated_when_asked_to() {
        let facts = facts(whole(), Ok(vec![endpoint(URL, &[INCOMING])]));

        let steps = steps(&facts, &Wanted { rotate: &Rotated::ALL, forgets_old: false }).unwrap();

        let rotated = Step::RotateSecret { id: URL.to_owned(), is_known: true };
        assert_eq!(steps, [rotated, Step::MakeTrunkKey { is_known: true }]);
        assert!(steps[1].row().after.contains("stays valid as sip_trunk_key_old"));
    }

    #[test]
    fn old_values_go_when_asked_to_and_where_there_are_any() {
        let forgetting = Wanted { rotate: &[], forgets_old: true };
        let mut values = whole();
        values["sip_trunk_key_old"] = json!("j");
        let there = facts(values, Ok(vec![endpoint(URL, &[INCOMING])]));

        assert_eq!(steps(&there, &forgetting).unwrap(), [Step::ForgetOld(Rotated::TrunkKey)]);
        assert_eq!(planned(&there), []);
        assert_eq!(steps(&facts(whole(), Err(forbidden())), &forgetting).unwrap(), []);
    }

    #[test]
    fn without_an_answer_nothing_is_planned() {
        let late = ProjectError::Unanswered("late".to_owned());

        assert_eq!(steps(&facts(whole(), Err(late.clone())), &Wanted::nothing()), Err(late));
    }

    #[test]
    fn several_webhooks_of_ours_are_told() {
        let twice = vec![endpoint(URL, &[INCOMING]), endpoint(URL, &[INCOMING])];

        assert!(facts(whole(), Ok(twice)).notes()[0].starts_with("2 webhooks"));
    }

    fn planned(facts: &Facts) -> Vec<Step> {
        steps(facts, &Wanted::nothing()).unwrap()
    }

    fn facts(secret: Value, endpoints: Result<Vec<Endpoint>, ProjectError>) -> Facts {
        Facts { secret: LineSecret::of(secret), url: URL.to_owned(), endpoints }
    }

    fn whole() -> Value {
        json!({"openai_webhook_secret": "whsec_YQ==", "sip_trunk_key": "k"})
    }

    fn endpoint(url: &str, kinds: &[&str]) -> Endpoint {
        let event_types = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        Endpoint { id: url.to_owned(), url: url.to_owned(), event_types }
    }

    fn forbidden() -> ProjectError {
        ProjectError::Forbidden { status: 403, code: "missing_scope".to_owned() }
    }
}
