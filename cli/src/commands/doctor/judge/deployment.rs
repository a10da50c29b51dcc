//! Whether what is ours is there: secrets, table, tasks, quotas, the webhook, the model.

use super::days_until;
use crate::commands::doctor::check::{Finding, needed, seen};
use crate::commands::doctor::facts::{Answer, Concurrency, Facts, ModelFacts, WebhookFacts};
use crate::fetched::Fetched;
use realtime::Failure;

/// With fewer invocations at once, a handful of calls throttles the functions. New accounts get ten.
const LEAST_CONCURRENCY: i32 = 100;

/// What call-control needs for itself when webhooks flood, as `make deploy` reserves it. Lambda keeps 100 unreserved, and as many stay
/// for webhooks.
const OWN_CONCURRENCY: i32 = 100;
const LEFT_BESIDE: i32 = 200;

/// So close to its end, days, a model needs a successor.
const SOON: i64 = 30;

/// How OpenAI says that it does not take a key.
const KEY_CODES: [&str; 2] = ["invalid_api_key", "authentication_error"];

const NO_ANSWER: &str = "deploy the functions, and set WEBHOOK_URL to what the deployment printed";

pub fn secret(secret: &Fetched<String>, keys: &str) -> Finding {
    let cure = format!("put it into Secrets Manager, as JSON with {keys}");
    needed(secret, &[], &cure, |id| Finding::fine(format!("{id} can be read")))
}

pub fn table(facts: &Facts) -> Finding {
    let cure = "deploy the stack, or name its table: --table";
    needed(&facts.deployment.numbers, &[], cure, |_| Finding::fine("it can be read"))
}

pub fn agent(facts: &Facts) -> Finding {
    let number = match &facts.meta.number_id {
        Ok(number) => number,
        Err(unseen) => return Finding::unknown(unseen.why.clone()),
    };
    seen(&facts.deployment.numbers, |numbers| match numbers.iter().find(|(known, _)| known == number) {
        Some((_, agent)) => Finding::fine(agent.clone()),
        None => {
            let says = "no agent has the number: its calls are left alone";
            Finding::wrong(0, says, "ahoy agents push FILE --number ID")
        }
    })
}

pub fn tasks(facts: &Facts) -> Finding {
    seen(&facts.deployment.warm_tasks, |tasks| match tasks {
        0 => {
            let cure = "see the service's events in ECS, and its logs; a call now waits for a task to start";
            Finding::wrong(0, "no media task takes calls", cure)
        }
        1 => Finding::fine("1 media task takes calls"),
        tasks => Finding::fine(format!("{tasks} media tasks take calls")),
    })
}

pub fn concurrency(facts: &Facts) -> Finding {
    seen(&facts.deployment.concurrency, |Concurrency { quota, unreserved }| {
        if *quota < LEAST_CONCURRENCY {
            let says = format!("the account may run {quota} invocations at once");
            return Finding::wrong(0, says, "ask for more in Service Quotas: Lambda, concurrent executions");
        }
        match &facts.deployment.reserved {
            Ok(Some(own)) => {
                Finding::fine(format!("{quota} invocations at once, {own} of them call-control's own"))
            }
            Ok(None) if *unreserved < OWN_CONCURRENCY + LEFT_BESIDE => Finding::fine(format!(
                "{quota} invocations at once, {unreserved} of them unreserved: too few to reserve any for call-control"
            )),
            Ok(None) => {
                let says =
                    format!("a flood of webhooks can take all {quota} invocations, call-control's too");
                let cure = format!("deploy with the parameter CallControlConcurrency={OWN_CONCURRENCY}");
                Finding::wrong(0, says, &cure)
            }
            Err(unseen) => Finding::unknown(unseen.why.clone()),
        }
    })
}

pub fn challenge(webhook: &WebhookFacts) -> Finding {
    needed(&webhook.challenge, &[], NO_ANSWER, |(status, came_back)| match (status, came_back) {
        (200, true) => Finding::fine("it gives Meta's challenge back"),
        (403, _) => {
            let cure = "put the same verify_token into the secret that the functions read";
            Finding::wrong(403, "the webhook does not know our verify token", cure)
        }
        (200, false) => Finding::wrong(0, "whoever answers there is not our webhook", NO_ANSWER),
        (status, _) => {
            Finding::wrong(0, format!("the webhook answers the challenge with {status}"), NO_ANSWER)
        }
    })
}

pub fn signed(webhook: &WebhookFacts) -> Finding {
    needed(&webhook.signed, &[], NO_ANSWER, |status| match status {
        200 => Finding::fine("a signed notice is taken"),
        401 => {
            let cure = "put the app's secret into the secret that the functions read";
            Finding::wrong(401, "the webhook refuses what our app secret signs", cure)
        }
        status => {
            Finding::wrong(0, format!("the webhook answers a signed notice with {status}"), "see its logs")
        }
    })
}

pub fn forged(webhook: &WebhookFacts) -> Finding {
    needed(&webhook.forged, &[], NO_ANSWER, |status| match status {
        401 => Finding::fine("a forged notice is refused"),
        200 => Finding::wrong(
            0,
            "the webhook takes forged notices: anybody can",
            "take it down, and deploy ahoy's",
        ),
        status => Finding::wrong(
            0,
            format!("the webhook answers a forged notice with {status}, not 401"),
            NO_ANSWER,
        ),
    })
}

pub fn key(facts: &ModelFacts) -> Finding {
    let answers = || facts.models.iter().filter_map(|(_, answer)| answer.as_ref().ok());
    let is_refused = failures(facts).any(|(_, failure)| KEY_CODES.contains(&failure.code.as_str()));
    if is_refused || answers().any(|answer| *answer == Answer::BadKey) {
        let cure = "make a key at platform.openai.com, and put it into the secret as openai_api_key";
        return Finding::wrong(401, "OpenAI does not take the key", cure);
    }
    match facts.models.iter().find_map(|(_, answer)| answer.as_ref().err()) {
        Some(unseen) if answers().next().is_none() => Finding::unknown(unseen.why.clone()),
        Some(_) | None => Finding::fine("OpenAI takes it; whether it has money left, only a call shows"),
    }
}

pub fn model(facts: &ModelFacts, now: u64) -> Finding {
    let mut unknown = None;
    for (name, answer) in &facts.models {
        match answer {
            Ok(Answer::NoModel) => {
                let cure =
                    "correct its name in the agent file or in REALTIME_MODEL, or ask OpenAI for access";
                return Finding::wrong(404, format!("there is no model {name} for this key"), cure);
            }
            Ok(Answer::Known(Some(end))) if days_until(end, now).is_none_or(|days| days < SOON) => {
                return Finding::wrong(0, format!("the model {name} ends on {end}"), "name a newer model");
            }
            Ok(Answer::BadKey) => unknown = Some("OpenAI does not take the key".to_owned()),
            Err(unseen) => unknown = Some(unseen.why.clone()),
            Ok(Answer::Known(_)) => {}
        }
    }
    if let Some((agent, failure)) = failures(facts).find(|(_, failure)| is_about_the_model(failure)) {
        return Finding::wrong(
            404,
            format!("OpenAI knows no model of {agent}: {}", failure.code),
            &failure.cure,
        );
    }
    let names: Vec<_> = facts.models.iter().map(|(name, _)| name.as_str()).collect();
    unknown.map_or_else(|| Finding::fine(names.join(", ")), Finding::Unknown)
}

/// Whether sessions are configured as agents' files say. Key and model are for other checks.
pub fn session(facts: &ModelFacts) -> Finding {
    for (agent, session) in &facts.sessions {
        match session {
            Ok(without) if without.is_empty() => {}
            Ok(without) => {
                let parts: Vec<_> = without.iter().map(|(part, code)| format!("{part} ({code})")).collect();
                let says = format!("the calls of {agent} do without {}: OpenAI refuses it", parts.join(", "));
                let cure =
                    "have OpenAI allow it to the key's project, or change it in [model] of the agent file";
                return Finding::wrong(0, says, cure);
            }
            Err(failure) if KEY_CODES.contains(&failure.code.as_str()) || is_about_the_model(failure) => {
                return Finding::unknown(format!("{agent} gets no session: {}", failure.code));
            }
            Err(failure) if failure.is_fatal => {
                let says = format!("{agent} gets no session: {}", failure.code);
                return Finding::wrong(0, says, &failure.cure);
            }
            Err(failure) => {
                return Finding::unknown(format!("{agent} gets no session: {}", failure.code));
            }
        }
    }
    match facts.sessions.iter().map(|(agent, _)| agent.as_str()).collect::<Vec<_>>()[..] {
        [] => Finding::unknown("there is no key to open a session with"),
        ref agents => Finding::fine(format!("as the files of {} say", agents.join(", "))),
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
    fn a_model_that_ends_within_a_month_is_wrong() {
        let model = |end: &str| {
            let known = Answer::Known(Some(end.to_owned()));
            model(&ModelFacts { models: vec![("m".to_owned(), Ok(known))], sessions: vec![] }, NOW)
        };

        assert_eq!(model("2027-06-01"), Finding::fine("m"));
        assert!(matches!(model("2026-12-01"), Finding::Wrong(_)));
        assert!(matches!(model("2026-01-01"), Finding::Wrong(_)));
    }

    #[test]
    fn a_key_that_nobody_could_ask_about_is_unknown_and_one_that_is_refused_is_wrong() {
        let key = |answer: Fetched<Answer>| {
            key(&ModelFacts { models: vec![("m".to_owned(), answer)], sessions: vec![] })
        };

        assert!(matches!(key(Err(FetchError::because("no network"))), Finding::Unknown(_)));
        assert!(matches!(key(Ok(Answer::BadKey)), Finding::Wrong(_)));
        assert!(matches!(key(Ok(Answer::NoModel)), Finding::Fine(_)));
    }

    #[test]
    fn a_session_is_judged_by_what_it_does_without() {
        let facts = |session| ModelFacts { models: vec![], sessions: vec![("shop".to_owned(), session)] };
        let failure =
            |code: &str, is_fatal| Err(Failure { code: code.to_owned(), cure: "c".to_owned(), is_fatal });

        assert_eq!(session(&facts(Ok(vec![]))), Finding::fine("as the files of shop say"));
        let without = facts(Ok(vec![(OptionalPart::Transcription, "unsupported_parameter".to_owned())]));
        let Finding::Wrong(wrong) = session(&without) else { panic!("it lacks something") };
        assert!(wrong.says.contains("do without transcription (unsupported_parameter)"), "{}", wrong.says);
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
    fn only_a_webhook_that_tells_metas_word_from_others_is_fine() {
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
