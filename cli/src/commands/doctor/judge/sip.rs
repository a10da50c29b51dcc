//! Checks the SIP line: its secret, key, webhook, numbers, and the SIP server that the trunk calls.

use crate::commands::doctor::check::{Finding, judge_fetched, judge_required};
use crate::commands::doctor::facts::{Deployment, Facts, Reach, SipFacts, SipState, is_id};
use crate::fetched::FetchError;
use crate::meta::is_same_url;
use crate::sip_line::Rotated;
use openai_calls::ProjectError;
use openai_calls::project::INCOMING;

const SETUP: &str = "ahoy setup --sip";

const DASHBOARD: &str = "Settings, Project, Webhooks at platform.openai.com";

/// Judges the SIP line, if it is known that there is one.
pub(crate) fn of_line(facts: &Facts, judge: impl FnOnce(&SipFacts) -> Finding) -> Finding {
    match &facts.sip {
        SipState::On(sip) => judge(sip),
        SipState::Off => Finding::unknown("there is no SIP line"),
        SipState::Unknown(why) => {
            Finding::unknown(format!("it is not known whether there is a SIP line: {why}"))
        }
    }
}

pub(crate) fn secret(sip: &SipFacts) -> Finding {
    let cure = format!("deploy with SipProject, which makes the secret, then {SETUP}");
    judge_required(&sip.secret, &[], &cure, |secret| {
        let id = &sip.secret_id;
        if secret.webhook_secret().is_none() {
            let says =
                format!("{id} has no openai_webhook_secret (whsec_…): every event of OpenAI's is refused");
            return Finding::wrong(0, says, SETUP);
        }
        if secret.trunk_key().is_none() {
            return without_trunk_key(sip);
        }
        let old = Rotated::ALL.into_iter().filter(|what| secret.has_old(*what));
        match &old.map(Rotated::old_name).collect::<Vec<_>>()[..] {
            [] => Finding::fine(format!("{id} has OpenAI's webhook secret and the trunk's key")),
            old => Finding::fine(format!(
                "{id} has OpenAI's webhook secret and the trunk's key; still valid: {} ({SETUP} --forget-old)",
                old.join(", ")
            )),
        }
    })
}

fn without_trunk_key(sip: &SipFacts) -> Finding {
    let cure = format!("{SETUP} makes sip_trunk_key; put it into the edge's settings");
    match &sip.is_open {
        Ok(true) => Finding::warning(
            "no key of a trunk is set and SipOpen is yes: anyone who knows the project's id can call, at your cost",
            cure,
        ),
        Ok(false) => Finding::wrong(403, "no key of a trunk is set: every call is rejected with 403", cure),
        Err(error) => Finding::warning(
            format!(
                "no key of a trunk is set: every call is rejected with 403, or accepted if SipOpen is yes ({})",
                error.why
            ),
            cure,
        ),
    }
}

/// Judges whether the key may act on calls: OpenAI must say of a call that never was that it does not know it.
pub(crate) fn key(sip: &SipFacts) -> Finding {
    match &sip.key {
        Ok(()) => Finding::fine("OpenAI lets the key end calls"),
        Err(ProjectError::Forbidden { status, code }) => {
            let code = if code.is_empty() { String::new() } else { format!(" ({code})") };
            let cure = "put a key of the project that the trunk calls, with the right to write Realtime, into the media tasks' secret as openai_api_key";
            Finding::wrong(
                u32::from(*status),
                format!("OpenAI does not let the key act on calls{code}"),
                cure,
            )
        }
        Err(error @ (ProjectError::Refused { .. } | ProjectError::Unanswered(_))) => {
            Finding::unknown(error.to_string())
        }
    }
}

pub(crate) fn webhook(sip: &SipFacts) -> Finding {
    const NO_ANSWER: &str =
        "deploy with SipProject, and set WEBHOOK_URL to the address that the deployment printed";
    let forged = judge_required(&sip.forged, &[], NO_ANSWER, |status| match status {
        401 => Finding::fine("a forged event is rejected"),
        404 => Finding::wrong(
            404,
            "the webhook has no SIP line: it was deployed without SipProject",
            "deploy with SipProject",
        ),
        200..300 => {
            Finding::wrong(0, "the webhook accepts forged events", "take it down, and deploy ahoy's webhook")
        }
        status => {
            Finding::wrong(0, format!("the webhook answers a forged event with {status}, not 401"), NO_ANSWER)
        }
    });
    if !matches!(forged, Finding::Fine(_)) {
        return forged;
    }
    judge_required(&sip.signed, &[], NO_ANSWER, |status| match status {
        200 => Finding::fine("a signed event is accepted, and a forged one rejected"),
        401 => Finding::wrong(
            401,
            "the webhook rejects an event signed with openai_webhook_secret",
            "set this machine's clock, or wait a minute if the secret has just changed; else see the webhook's log",
        ),
        status => {
            Finding::wrong(0, format!("the webhook answers a signed event with {status}"), "see its logs")
        }
    })
}

pub(crate) fn endpoint(sip: &SipFacts) -> Finding {
    let endpoints = match &sip.endpoints {
        Ok(endpoints) => endpoints,
        Err(error @ ProjectError::Forbidden { .. }) => {
            return Finding::unknown(format!(
                "{error}: look at {DASHBOARD}, or set OPENAI_SETUP_KEY to a key that may read webhooks"
            ));
        }
        Err(error @ (ProjectError::Refused { .. } | ProjectError::Unanswered(_))) => {
            return Finding::unknown(error.to_string());
        }
    };
    judge_fetched(&sip.webhook_url, |url| {
        let ours: Vec<_> = endpoints.iter().filter(|endpoint| is_same_url(&endpoint.url, url)).collect();
        match &ours[..] {
            [] => Finding::wrong(0, format!("no webhook of OpenAI's project leads to {url}"), SETUP),
            ours if !ours.iter().any(|endpoint| endpoint.gets_calls()) => {
                Finding::wrong(0, format!("OpenAI's webhook does not send {INCOMING}"), SETUP)
            }
            [_] => Finding::fine(format!("OpenAI sends {INCOMING} to {url}")),
            several => Finding::warning(
                format!(
                    "{} webhooks of OpenAI's project lead to {url}: each call is announced by each, and refused from all whose secret is another",
                    several.len()
                ),
                format!("delete all but one ({DASHBOARD})"),
            ),
        }
    })
}

/// Judges whether telephone numbers have agents that are stored, and cost no more than is meant: no other cap holds for callers who withhold
/// their number.
pub(crate) fn number(deployment: &Deployment) -> Finding {
    judge_fetched(&deployment.numbers, |numbers| {
        let named: Vec<_> = numbers.iter().filter(|(number, _)| !is_id(number)).collect();
        if named.is_empty() {
            return Finding::wrong(
                0,
                "no telephone number has an agent: calls are left alone, and the caller's side gets 400",
                "ahoy agents push FILE --number +… --as NAME",
            );
        }
        let stored = |agent: &str| {
            deployment.agents.as_ref().map(|agents| agents.iter().find(|stored| stored.name == agent))
        };
        let mut uncapped = vec![];
        for (number, agent) in &named {
            match stored(agent) {
                Ok(Some(stored)) if stored.caps.dollars_a_day.is_some() => {}
                Ok(Some(_)) => uncapped.push(format!("{number} ({agent})")),
                Ok(None) => {
                    return Finding::wrong(
                        0,
                        format!("{number} has the agent {agent}, which is not stored, or cannot be read"),
                        "ahoy agents push FILE",
                    );
                }
                Err(FetchError { why, .. }) => return Finding::unknown(why.clone()),
            }
        }
        if !uncapped.is_empty() {
            return Finding::warning(
                format!(
                    "{}: no dollars_a_day, and calls_an_hour does not hold for callers who withhold their number",
                    uncapped.join(", ")
                ),
                "[caps] dollars_a_day in the agent's file, then ahoy agents push FILE",
            );
        }
        let named: Vec<_> = named.iter().map(|(number, agent)| format!("{number} ({agent})")).collect();
        Finding::fine(named.join(", "))
    })
}

pub(crate) fn reach(sip: &SipFacts) -> Finding {
    let cure = "SIP_SERVER is a host and a port, such as sip.api.openai.com:5061";
    let server = match &sip.server {
        Ok(server) => server,
        Err(error) => return Finding::unknown(error.why.clone()),
    };
    match &sip.reach {
        Err(error) if !error.is_wrong => Finding::unknown(format!(
            "{}; from the edge: openssl s_client -connect {server} -brief",
            error.why
        )),
        reach => judge_required(reach, &[], cure, |reach| match reach {
            Reach::Named => Finding::fine(format!("{server} answers by TLS, and its certificate names it")),
            Reach::WrongCertificate(why) => Finding::wrong(
                0,
                format!("what answers at {server} has another certificate: {why}"),
                "find out who answers for that name in this network, and do not call it with the trunk's key",
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip_line::LineSecret;
    use agents::Agent;
    use openai_calls::project::Endpoint;
    use serde_json::{Value, json};

    const URL: &str = "https://a.example/openai";

    #[test]
    fn a_secret_is_fine_with_both_values() {
        let of = |values: Value| secret(&SipFacts { secret: Ok(LineSecret::of(values)), ..fine() });
        let whole = json!({"openai_webhook_secret": "whsec_YQ==", "sip_trunk_key": "k"});
        let rotated =
            json!({"openai_webhook_secret": "whsec_YQ==", "sip_trunk_key": "k", "sip_trunk_key_old": "j"});

        assert!(matches!(of(whole), Finding::Fine(_)));
        assert!(
            matches!(of(rotated), Finding::Fine(says) if says.contains("still valid: sip_trunk_key_old"))
        );
        assert!(says(&of(json!({"sip_trunk_key": "k"}))).contains("every event of OpenAI's is refused"));
        assert!(says(&of(json!({"openai_webhook_secret": "secret"}))).contains("no openai_webhook_secret"));
        let gone = SipFacts { secret: Err(FetchError::missing("gone")), ..fine() };
        assert!(matches!(secret(&gone), Finding::Wrong(wrong) if wrong.cure.contains("SipProject")));
    }

    #[test]
    fn without_a_trunk_key_calls_are_rejected_or_anyones() {
        let of = |is_open| {
            let secret_without = Ok(LineSecret::of(json!({"openai_webhook_secret": "whsec_YQ=="})));
            secret(&SipFacts { secret: secret_without, is_open, ..fine() })
        };

        assert!(matches!(of(Ok(false)), Finding::Wrong(wrong) if wrong.code == 403));
        for warned in [of(Ok(true)), of(Err(FetchError::because("no right")))] {
            assert!(
                matches!(&warned, Finding::Warning { cure, .. } if cure.contains("sip_trunk_key")),
                "{warned:?}"
            );
        }
    }

    #[test]
    fn a_key_is_fine_when_openai_does_not_know_the_call() {
        let of = |answer| key(&SipFacts { key: answer, ..fine() });
        let refused = |status| ProjectError::Forbidden { status, code: "missing_scope".to_owned() };
        let odd = ProjectError::Refused { status: 404, code: String::new(), message: String::new() };

        assert!(matches!(of(Ok(())), Finding::Fine(_)));
        assert!(matches!(of(Err(refused(401))), Finding::Wrong(wrong) if wrong.code == 401));
        assert!(says(&of(Err(refused(403)))).contains("(missing_scope)"));
        assert!(matches!(of(Err(odd)), Finding::Unknown(_)), "a 404 of another server shows nothing");
        assert!(matches!(of(Err(ProjectError::Unanswered("late".to_owned()))), Finding::Unknown(_)));
    }

    #[test]
    fn only_a_webhook_that_tells_signatures_apart_is_fine() {
        let of = |signed, forged| webhook(&SipFacts { signed, forged, ..fine() });
        let code = |finding| match finding {
            Finding::Wrong(wrong) => Some(wrong.code),
            _ => None,
        };

        assert!(matches!(of(Ok(200), Ok(401)), Finding::Fine(_)));
        assert_eq!(code(of(Ok(200), Ok(200))), Some(0), "it takes what is forged");
        assert_eq!(code(of(Ok(401), Ok(401))), Some(401));
        assert_eq!(code(of(Ok(404), Ok(404))), Some(404));
        assert_eq!(code(of(Ok(500), Ok(401))), Some(0));
        assert!(matches!(of(Err(FetchError::because("no secret")), Ok(401)), Finding::Unknown(_)));
        assert!(matches!(of(Ok(200), Err(FetchError::missing("refused"))), Finding::Wrong(_)));
    }

    #[test]
    fn one_endpoint_with_the_event_must_lead_here() {
        let endpoint_at = |url: &str, kinds: &[&str]| Endpoint {
            id: "whe_1".to_owned(),
            url: url.to_owned(),
            event_types: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        };
        let of = |endpoints| endpoint(&SipFacts { endpoints, ..fine() });
        let right = endpoint_at(URL, &["batch.completed", INCOMING]);
        let elsewhere = endpoint_at("https://b.example/openai", &[INCOMING]);

        assert!(matches!(of(Ok(vec![elsewhere.clone(), right.clone()])), Finding::Fine(_)));
        assert!(says(&of(Ok(vec![elsewhere]))).contains("leads to https://a.example/openai"));
        assert!(says(&of(Ok(vec![endpoint_at(URL, &["batch.completed"])]))).contains("does not send"));
        assert!(matches!(of(Ok(vec![right.clone(), right])), Finding::Warning { .. }));
        let forbidden = ProjectError::Forbidden { status: 403, code: String::new() };
        assert!(matches!(of(Err(forbidden)), Finding::Unknown(why) if why.contains("OPENAI_SETUP_KEY")));
    }

    #[test]
    fn a_telephone_number_needs_a_stored_agent_with_a_budget() {
        let mut capped = Agent::built_in();
        capped.caps.dollars_a_day = Some(5.0);
        let uncapped = Agent { name: "uncapped".into(), ..Agent::built_in() };
        let agent = capped.name.clone();
        let agents = vec![capped, uncapped];
        let of = |numbers: &[(&str, &str)]| {
            let numbers = numbers.iter().map(|(number, agent)| ((*number).into(), (*agent).to_owned()));
            let unknown = || FetchError::because("not asked");
            number(&Deployment {
                meta_secret: Err(unknown()),
                media_secret: Err(unknown()),
                tool_secrets: Err(unknown()),
                undelivered: Err(unknown()),
                numbers: Ok(numbers.collect()),
                agents: Ok(agents.clone()),
                warm_tasks: Err(unknown()),
                concurrency: Err(unknown()),
                reserved: Err(unknown()),
            })
        };
        let agent = agent.as_str();

        assert_eq!(
            of(&[("malta", agent), ("220000000000002", "x")]),
            Finding::fine(format!("malta ({agent})"))
        );
        assert!(says(&of(&[("220000000000002", agent)])).contains("no telephone number has an agent"));
        assert!(says(&of(&[("malta", "gone")])).contains("malta has the agent gone"));
        let warned = of(&[("malta", agent), ("rwanda", "uncapped")]);
        assert!(
            matches!(&warned, Finding::Warning { says, .. } if says.starts_with("rwanda (uncapped): no dollars_a_day")),
            "{warned:?}"
        );
    }

    #[test]
    fn a_server_with_another_certificate_is_wrong() {
        let of = |answer| reach(&SipFacts { reach: answer, ..fine() });

        assert!(matches!(of(Ok(Reach::Named)), Finding::Fine(_)));
        assert!(
            says(&of(Ok(Reach::WrongCertificate("not for that name".to_owned()))))
                .contains("another certificate")
        );
        let far = of(Err(FetchError::because("refused")));
        assert!(
            matches!(far, Finding::Unknown(why) if why.contains("openssl s_client -connect sip.a.example:5061"))
        );
        assert!(matches!(of(Err(FetchError::missing("no port"))), Finding::Wrong(_)));
    }

    fn says(finding: &Finding) -> &str {
        match finding {
            Finding::Wrong(wrong) => &wrong.says,
            other => panic!("it is wrong: {other:?}"),
        }
    }

    fn fine() -> SipFacts {
        SipFacts {
            secret_id: "a/line".to_owned(),
            secret: Ok(LineSecret::of(json!({}))),
            is_open: Ok(false),
            signed: Ok(200),
            forged: Ok(401),
            webhook_url: Ok(URL.to_owned()),
            endpoints: Ok(vec![]),
            key: Ok(()),
            server: Ok("sip.a.example:5061".to_owned()),
            reach: Ok(Reach::Named),
        }
    }
}
