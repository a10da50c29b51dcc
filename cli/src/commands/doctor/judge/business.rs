//! Checks what ties the deployment to the business's own systems: the keys that sign, and events that did not arrive.

use crate::commands::doctor::check::{Finding, judge_fetched};
use crate::commands::doctor::facts::Facts;
use agents::Agent;
use std::collections::BTreeMap;

/// Warns of agents whose `[lookup]` or `[after]` is signed with a key that the media tasks' secret lacks.
pub(crate) fn keys(facts: &Facts) -> Finding {
    judge_fetched(&facts.deployment.agents, |agents| {
        let needed: BTreeMap<_, _> = agents.iter().flat_map(keys_of).collect();
        if needed.is_empty() {
            return Finding::fine("no agent has [lookup] or [after]");
        }
        judge_fetched(&facts.deployment.tool_secrets, |known| {
            match needed.iter().find(|(key, _)| !known.contains(**key)) {
                None => Finding::fine(format!("there is each of {}", needed.len())),
                Some((key, agent)) => {
                    let says = format!("agent {agent} signs with {key}, which the media tasks' secret lacks");
                    let cure = format!("export AHOY_TOOL_SECRET_{}, then make secrets", variable(key));
                    Finding::warning(says, cure)
                }
            }
        })
    })
}

/// Warns of events that were refused or given up within a day.
pub(crate) fn events(facts: &Facts) -> Finding {
    judge_fetched(&facts.deployment.undelivered, |undelivered| match undelivered {
        0 => Finding::fine("none was given up within a day"),
        several => {
            let says = format!("{several} were refused or given up within a day");
            Finding::warning(says, "ahoy outbox shows the last status of each; then ahoy outbox --all-failed")
        }
    })
}

/// Returns the keys that an agent needs to talk to the business's systems, with the agent's name.
fn keys_of(agent: &Agent) -> impl Iterator<Item = (&str, &str)> {
    let lookup = agent.lookup.as_ref().map(|lookup| lookup.sign_with.as_str());
    let after = agent.after.as_ref().map(|after| after.sign_with.as_str());
    lookup.into_iter().chain(after).map(|key| (key, agent.name.as_str()))
}

/// Returns the end of the variable that `make secrets` reads a key from.
fn variable(key: &str) -> String {
    key.to_ascii_uppercase().replace('-', "_")
}
