//! Checks the access to Meta: Graph API version, access token and app secret.

use super::{day, days_until};
use crate::commands::doctor::check::{Finding, judge_fetched, judge_required};
use crate::meta::{Facts, MANAGEMENT, MESSAGING};

/// When each version of the Graph API ends (Meta's changelog, as of 2026-11). The newest has no date yet.
const VERSIONS: [(u32, &str); 6] = [
    (20, "2026-09-24"),
    (21, "2027-01-21"),
    (22, "2027-05-20"),
    (23, "2027-10-08"),
    (24, "2028-02-18"),
    (25, "2028-07-29"),
];
const NEWEST: u32 = 26;

/// How many days before its end a token is reported.
const SOON: u64 = 14;
/// How many days before its end an API version is reported.
const SOON_OF_A_VERSION: i64 = 60;

const NEW_TOKEN: &str =
    "create a system-user token that never expires, in Business settings, and put it into the secret";

pub(crate) fn version(url: &str, now: u64) -> Finding {
    let part = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let version = part.strip_prefix('v').and_then(|it| it.strip_suffix(".0")?.parse::<u32>().ok());
    let cure = format!("set GRAPH_URL to version v{NEWEST}.0, or unset it");
    let Some(version) = version else {
        return Finding::wrong(0, format!("GRAPH_URL has no API version: {part}"), cure);
    };
    if version == NEWEST {
        return Finding::fine(format!("v{version}.0, the newest that this release knows"));
    }
    if version > NEWEST {
        return Finding::unknown(format!("v{version}.0 is newer than this release of ahoy"));
    }
    let end = VERSIONS.iter().find(|(known, _)| *known == version).map(|(_, end)| *end);
    match end.and_then(|end| Some((end, days_until(end, now)?))) {
        Some((end, days)) if days >= SOON_OF_A_VERSION => Finding::fine(format!("v{version}.0, until {end}")),
        Some((end, days)) if days >= 0 => Finding::wrong(0, format!("v{version}.0 ends on {end}"), cure),
        Some(_) | None => Finding::wrong(2_500, format!("v{version}.0 has ended"), cure),
    }
}

pub(crate) fn valid(facts: &Facts) -> Finding {
    judge_required(&facts.token, &[190], NEW_TOKEN, |token| {
        if token.is_valid {
            Finding::fine(format!("Meta accepts the token of the app {}", token.application))
        } else {
            Finding::wrong(190, "Meta rejects the token", NEW_TOKEN)
        }
    })
}

pub(crate) fn kind(facts: &Facts) -> Finding {
    judge_fetched(&facts.token, |token| match token.kind.as_str() {
        "SYSTEM_USER" => Finding::fine("system user"),
        kind => Finding::wrong(0, format!("the token is of kind {kind}, which expires"), NEW_TOKEN),
    })
}

pub(crate) fn expiry(facts: &Facts, now: u64) -> Finding {
    judge_fetched(&facts.token, |token| {
        let ends = [token.expires_at, token.data_access_expires_at].into_iter().filter(|at| *at > 0).min();
        match ends {
            None => Finding::fine("never"),
            Some(at) if at <= now => {
                Finding::wrong(190, format!("the token expired on {}", day(at)), NEW_TOKEN)
            }
            Some(at) if at <= now + SOON * 86_400 => {
                Finding::wrong(0, format!("the token expires on {}", day(at)), NEW_TOKEN)
            }
            Some(at) => Finding::fine(format!("on {}", day(at))),
        }
    })
}

pub(crate) fn permissions(facts: &Facts) -> Finding {
    judge_fetched(&facts.token, |token| {
        let missing =
            [MANAGEMENT, MESSAGING].into_iter().filter(|it| !token.scopes.iter().any(|scope| scope == it));
        let missing: Vec<_> = missing.collect();
        if missing.is_empty() {
            return Finding::fine(format!("{MANAGEMENT}, {MESSAGING}"));
        }
        let cure = "create a new token of the system user, with the missing permissions ticked";
        Finding::wrong(200, format!("the token lacks {}", missing.join(", ")), cure)
    })
}

pub(crate) fn account(facts: &Facts) -> Finding {
    let cure = "assign the account to the system user (Business settings, WhatsApp accounts), or name the right number with --number";
    judge_required(&facts.account_id, &[], cure, |account| match &facts.account {
        Ok(_) => Finding::fine(format!("the token can read the account {account}")),
        Err(error) if error.code == 100 => Finding::wrong(100, "the token cannot read the account", cure),
        Err(error) => Finding::unknown(error.why.clone()),
    })
}

/// Judges the app secret by a request with the app's own token, which is made of app id and app secret.
pub(crate) fn secret(facts: &Facts) -> Finding {
    let cure = "copy the app secret (App settings, Basic) into the secret";
    if let Err(error) = &facts.token {
        return Finding::unknown(error.why.clone());
    }
    judge_required(&facts.subscription, &[190], cure, |_| Finding::fine("Meta accepts it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2026-11-22
    const NOW: u64 = 1_795_305_600;

    #[test]
    fn a_version_is_judged_by_the_time_it_has_left() {
        let version = |part: &str, now| version(&format!("https://graph.facebook.com/{part}"), now);

        assert!(matches!(version("v26.0", NOW), Finding::Fine(_)));
        assert_eq!(version("v21.0/", NOW), Finding::fine("v21.0, until 2027-01-21"));
        let late = version("v21.0", NOW + 2 * 86_400);
        assert!(matches!(late, Finding::Wrong(wrong) if wrong.says == "v21.0 ends on 2027-01-21"));
        for over in ["v20.0", "v17.0", "latest"] {
            assert!(matches!(version(over, NOW), Finding::Wrong(_)), "{over}");
        }
        assert!(matches!(version("v27.0", NOW), Finding::Unknown(_)));
    }
}
