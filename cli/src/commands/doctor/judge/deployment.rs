//! Checks the deployment itself: secrets, table, media tasks, Lambda concurrency, webhook and OpenAI.

use super::days_until;
use crate::commands::doctor::check::{Finding, judge_fetched, judge_required};
use crate::commands::doctor::facts::{Answer, Concurrency, Facts, ModelFacts, WebhookFacts};
use crate::fetched::Fetched;
use realtime::Failure;

/// With fewer concurrent executions, a handful of calls throttles the functions. New accounts get ten.
const MIN_CONCURRENCY: i32 = 100;

/// The executions that `make deploy` reserves for call-control, so that a flood of webhooks cannot throttle it.
const CALL_CONTROL_CONCURRENCY: i32 = 100;
/// The executions that must stay unreserved: Lambda demands 100, and the webhook needs another 100.
const MIN_UNRESERVED: i32 = 200;

/// How many days before its shutdown a model is reported.
const SOON: i64 = 30;

/// OpenAI's error codes for a rejected key.
const KEY_CODES: [&str; 2] = ["invalid_api_key", "authentication_error"];

const NO_ANSWER: &str =
    "deploy the functions, and set WEBHOOK_URL to the address that the deployment printed";

pub(crate) fn secret(secret: &Fetched<String>, keys: &str) -> Finding {
    let cure = format!("put it into Secrets Manager, as JSON with {keys}");
    judge_required(secret, &[], &cure, |id| Finding::fine(format!("{id} can be read")))
}

pub(crate) fn table(facts: &Facts) -> Finding {
    let cure = "deploy the stack, or name its table with --table";
    judge_required(&facts.deployment.numbers, &[], cure, |_| Finding::fine("it can be read"))
}

pub(crate) fn agent(facts: &Facts) -> Finding {
    let number = match &facts.meta.number_id {
        Ok(number) => number,
        Err(error) => return Finding::unknown(error.why.clone()),
    };
    judge_fetched(&facts.deployment.numbers, |numbers| {
        match numbers.iter().find(|(known, _)| known == number) {
            Some((_, agent)) => Finding::fine(agent.clone()),
            None => {
                let says = "no agent is assigned to the number: its calls are not answered";
                Finding::wrong(0, says, "ahoy agents push FILE --number ID")
            }
        }
    })
}

pub(crate) fn tasks(facts: &Facts) -> Finding {
    judge_fetched(&facts.deployment.warm_tasks, |tasks| match tasks {
        0 => {
            let cure = "see the events of the ECS service, and the tasks' logs; until then a call waits for a task to start";
            Finding::wrong(0, "no media task is ready", cure)
        }
        1 => Finding::fine("1 media task is ready"),
        tasks => Finding::fine(format!("{tasks} media tasks are ready")),
    })
}

pub(crate) fn concurrency(facts: &Facts) -> Finding {
    judge_fetched(&facts.deployment.concurrency, |Concurrency { quota, unreserved }| {
        if *quota < MIN_CONCURRENCY {
            let says = format!("the account's limit is {quota} concurrent executions");
            return Finding::wrong(
                0,
                says,
                "request an increase in Service Quotas: Lambda, concurrent executions",
            );
        }
        match &facts.deployment.reserved {
            Ok(Some(own)) => {
                Finding::fine(format!("{quota} concurrent executions, {own} reserved for call-control"))
            }
            Ok(None) if *unreserved < CALL_CONTROL_CONCURRENCY + MIN_UNRESERVED => Finding::fine(format!(
                "{quota} concurrent executions, {unreserved} unreserved: too few to reserve any for call-control"
            )),
            Ok(None) => {
                let says = format!(
                    "a flood of webhooks can use all {quota} concurrent executions, leaving none for call-control"
                );
                let cure =
                    format!("deploy with the parameter CallControlConcurrency={CALL_CONTROL_CONCURRENCY}");
                Finding::wrong(0, says, &cure)
            }
            Err(error) => Finding::unknown(error.why.clone()),
        }
    })
}

pub(crate) fn challenge(webhook: &WebhookFacts) -> Finding {
    judge_required(&webhook.challenge, &[], NO_ANSWER, |(status, is_repeated)| match (status, is_repeated) {
        (200, true) => Finding::fine("it answers Meta's challenge"),
        (403, _) => {
            let cure = "put the same verify_token into the secret that the functions read";
            Finding::wrong(403, "the webhook rejects the verify token", cure)
        }
        (200, false) => Finding::wrong(0, "another server answers there, not ahoy's webhook", NO_ANSWER),
        (status, _) => {
            Finding::wrong(0, format!("the webhook answers the challenge with {status}"), NO_ANSWER)
        }
    })
}

pub(crate) fn signed(webhook: &WebhookFacts) -> Finding {
    judge_required(&webhook.signed, &[], NO_ANSWER, |status| match status {
        200 => Finding::fine("a signed notice is accepted"),
        401 => {
            let cure = "put the app's secret into the secret that the functions read";
            Finding::wrong(401, "the webhook rejects a notice signed with the app secret", cure)
        }
        status => {
            Finding::wrong(0, format!("the webhook answers a signed notice with {status}"), "see its logs")
        }
    })
}

pub(crate) fn forged(webhook: &WebhookFacts) -> Finding {
    judge_required(&webhook.forged, &[], NO_ANSWER, |status| match status {
        401 => Finding::fine("a forged notice is rejected"),
        200 => {
            Finding::wrong(0, "the webhook accepts forged notices", "take it down, and deploy ahoy's webhook")
        }
        status => Finding::wrong(
            0,
            format!("the webhook answers a forged notice with {status}, not 401"),
            NO_ANSWER,
        ),
    })
}

pub(crate) fn key(facts: &ModelFacts) -> Finding {
    let answers = || facts.models.iter().filter_map(|(_, answer)| answer.as_ref().ok());
    let is_refused = failures(facts).any(|(_, failure)| KEY_CODES.contains(&failure.code.as_str()));
    if is_refused || answers().any(|answer| *answer == Answer::BadKey) {
        let cure = "create a key at platform.openai.com, and put it into the secret as openai_api_key";
        return Finding::wrong(401, "OpenAI rejects the key", cure);
    }
    match facts.models.iter().find_map(|(_, answer)| answer.as_ref().err()) {
        Some(error) if answers().next().is_none() => Finding::unknown(error.why.clone()),
        Some(_) | None => {
            Finding::fine("OpenAI accepts it; only a call shows whether the account has credit")
        }
    }
}

pub(crate) fn model(facts: &ModelFacts, now: u64) -> Finding {
    let mut unknown = None;
    for (name, answer) in &facts.models {
        match answer {
            Ok(Answer::NoModel) => {
                let cure =
                    "correct the name in the agent file or in REALTIME_MODEL, or ask OpenAI for access";
                return Finding::wrong(404, format!("there is no model {name} for this key"), cure);
            }
            Ok(Answer::Known(Some(end))) if days_until(end, now).is_none_or(|days| days < SOON) => {
                return Finding::wrong(
                    0,
                    format!("the model {name} is shut down on {end}"),
                    "name a newer model in the agent file or in REALTIME_MODEL",
                );
            }
            Ok(Answer::BadKey) => unknown = Some("OpenAI rejects the key".to_owned()),
            Err(error) => unknown = Some(error.why.clone()),
            Ok(Answer::Known(_)) => {}
        }
    }
    if let Some((agent, failure)) = failures(facts).find(|(_, failure)| is_about_the_model(failure)) {
        return Finding::wrong(
            404,
            format!("OpenAI does not know the model of {agent}: {}", failure.code),
            &failure.cure,
        );
    }
    let names: Vec<_> = facts.models.iter().map(|(name, _)| name.as_str()).collect();
    unknown.map_or_else(|| Finding::fine(names.join(", ")), Finding::Unknown)
}

/// Judges whether OpenAI accepts the agents' sessions; the key and the model have checks of their own.
pub(crate) fn session(facts: &ModelFacts) -> Finding {
    for (agent, session) in &facts.sessions {
        match session {
            Ok(without) if without.is_empty() => {}
            Ok(without) => {
                let parts: Vec<_> = without.iter().map(|(part, code)| format!("{part} ({code})")).collect();
                let says = format!("calls of {agent} run without {}, which OpenAI refuses", parts.join(", "));
                let cure =
                    "allow it for the key's project at OpenAI, or change it in [model] of the agent file";
                return Finding::wrong(0, says, cure);
            }
            Err(failure) if KEY_CODES.contains(&failure.code.as_str()) || is_about_the_model(failure) => {
                return Finding::unknown(format!("no session for {agent}: {}", failure.code));
            }
            Err(failure) if failure.is_fatal => {
                let says = format!("no session for {agent}: {}", failure.code);
                return Finding::wrong(0, says, &failure.cure);
            }
            Err(failure) => {
                return Finding::unknown(format!("no session for {agent}: {}", failure.code));
            }
        }
    }
    match facts.sessions.iter().map(|(agent, _)| agent.as_str()).collect::<Vec<_>>()[..] {
        [] => Finding::unknown("there is no key to open a session with"),
        ref agents => Finding::fine(format!("as configured by {}", agents.join(", "))),
    }
}

fn failures(facts: &ModelFacts) -> impl Iterator<Item = (&str, &Failure)> {
    facts.sessions.iter().filter_map(|(agent, session)| Some((agent.as_str(), session.as_ref().err()?)))
}

fn is_about_the_model(failure: &Failure) -> bool {
    ["invalid_model", "model_not_found", "missing_model"].contains(&failure.code.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetched::FetchError;
    use realtime::OptionalPart;

    const NOW: u64 = 1_795_305_600;

    #[test]
    fn a_model_that_is_shut_down_within_a_month_is_wrong() {
        let model = |end: &str| {
            let known = Answer::Known(Some(end.to_owned()));
            model(&ModelFacts { models: vec![("m".to_owned(), Ok(known))], sessions: vec![] }, NOW)
        };

        assert_eq!(model("2027-06-01"), Finding::fine("m"));
        assert!(matches!(model("2026-12-01"), Finding::Wrong(_)));
        assert!(matches!(model("2026-01-01"), Finding::Wrong(_)));
    }

    #[test]
    fn an_unreachable_openai_is_unknown_and_a_refused_key_is_wrong() {
        let key = |answer: Fetched<Answer>| {
            key(&ModelFacts { models: vec![("m".to_owned(), answer)], sessions: vec![] })
        };

        assert!(matches!(key(Err(FetchError::because("no network"))), Finding::Unknown(_)));
        assert!(matches!(key(Ok(Answer::BadKey)), Finding::Wrong(_)));
        assert!(matches!(key(Ok(Answer::NoModel)), Finding::Fine(_)));
    }

    #[test]
    fn a_session_is_judged_by_its_refused_parts() {
        let facts = |session| ModelFacts { models: vec![], sessions: vec![("shop".to_owned(), session)] };
        let failure =
            |code: &str, is_fatal| Err(Failure { code: code.to_owned(), cure: "c".to_owned(), is_fatal });

        assert_eq!(session(&facts(Ok(vec![]))), Finding::fine("as configured by shop"));
        let without = facts(Ok(vec![(OptionalPart::Transcription, "unsupported_parameter".to_owned())]));
        let Finding::Wrong(wrong) = session(&without) else { panic!("a part is refused") };
        assert!(wrong.says.contains("run without transcription (unsupported_parameter)"), "{}", wrong.says);
        assert!(matches!(session(&facts(failure("insufficient_quota", true))), Finding::Wrong(_)));
        assert!(matches!(session(&facts(failure("unreachable", false))), Finding::Unknown(_)));
        for (code, of) in
            [("invalid_api_key", key as fn(&ModelFacts) -> Finding), ("invalid_model", |it| model(it, NOW))]
        {
            let refused = facts(failure(code, true));
            assert!(matches!(of(&refused), Finding::Wrong(_)), "{code}");
            assert!(matches!(session(&refused), Finding::Unknown(_)), "{code}");
        }
    }

    #[test]
    fn only_a_webhook_that_verifies_signatures_is_fine() {
        let facts = |signed, forged| WebhookFacts {
            challenge: Ok((200, true)),
            signed: Ok(signed),
            forged: Ok(forged),
        };

        assert!(matches!(forged(&facts(200, 401)), Finding::Fine(_)));
        assert!(matches!(forged(&facts(200, 200)), Finding::Wrong(_)));
        assert!(matches!(signed(&facts(401, 401)), Finding::Wrong(wrong) if wrong.code == 401));
    }
}
