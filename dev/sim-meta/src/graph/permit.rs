//! Checks what every Graph request must have: a version that lives, our number, the right token.

use super::error::GraphError;
use crate::{BusinessRecords, MetaConfig};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// The permission for calls and messages.
const MESSAGING: &str = "whatsapp_business_messaging";

/// The versions that live on 2026-11-29.
const VERSIONS: std::ops::RangeInclusive<u32> = 21..=27;

/// Whether a request to `/{version}/{number}/...` may be looked at.
pub(super) fn check(
    config: &MetaConfig,
    token: &str,
    version: &str,
    number: &str,
    headers: &HeaderMap,
) -> Result<(), GraphError> {
    let wanted = format!("Bearer {token}");
    if headers.get(AUTHORIZATION).is_none_or(|given| given.as_bytes() != wanted.as_bytes()) {
        return Err(GraphError::bad_token());
    }
    check_version(version)?;
    if number != config.phone_number_id {
        return Err(GraphError::no_object());
    }
    Ok(())
}

/// Whether the business is set up for call actions, and for messages.
pub(super) fn takes_calls(records: &BusinessRecords) -> Result<(), GraphError> {
    may_message(records)?;
    if records.calling["status"] != "ENABLED" {
        Err(GraphError::calling_not_enabled())
    } else if records.calling["sip"]["status"] == "ENABLED" {
        Err(GraphError::sip_enabled())
    } else {
        Ok(())
    }
}

/// Whether the token is good for calls and messages.
pub(super) fn may_message(records: &BusinessRecords) -> Result<(), GraphError> {
    if !records.token.is_valid {
        Err(GraphError::bad_token())
    } else if !records.token.scopes.iter().any(|scope| scope == MESSAGING) {
        Err(GraphError::not_permitted(MESSAGING))
    } else {
        Ok(())
    }
}

pub(super) fn check_version(version: &str) -> Result<(), GraphError> {
    let version = version.strip_prefix('v').and_then(|version| version.strip_suffix(".0")?.parse().ok());
    if version.is_none_or(|version| !VERSIONS.contains(&version)) {
        return Err(GraphError::unknown_path());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SetupFault;

    #[test]
    fn lets_the_right_request_pass() {
        assert_eq!(judge("v26.0", "220000000000002", Some("Bearer an access token")), Ok(()));
    }

    #[test]
    fn refuses_a_missing_or_wrong_token_with_190() {
        assert_eq!(judge("v26.0", "220000000000002", None), Err(GraphError::bad_token()));
        assert_eq!(judge("v26.0", "220000000000002", Some("Bearer x")), Err(GraphError::bad_token()));
        assert_eq!(judge("v26.0", "220000000000002", Some("an access token")), Err(GraphError::bad_token()));
    }

    #[test]
    fn refuses_dead_and_unborn_versions() {
        for version in ["v20.0", "v28.0", "v26", "26.0"] {
            let judged = judge(version, "220000000000002", Some("Bearer an access token"));
            assert_eq!(judged, Err(GraphError::unknown_path()), "{version}");
        }
    }

    #[test]
    fn a_business_that_is_not_set_up_can_do_nothing_with_calls() {
        let refused = |fault: SetupFault| {
            let mut records = BusinessRecords::default();
            fault.apply(&mut records);
            takes_calls(&records).map_err(|error| error.code)
        };

        assert_eq!(takes_calls(&BusinessRecords::default()), Ok(()));
        assert_eq!(refused(SetupFault::TokenRevoked), Err(190));
        assert_eq!(refused(SetupFault::TokenWithoutMessaging), Err(200));
        assert_eq!(refused(SetupFault::CallingOff), Err(138_000));
        assert_eq!(refused(SetupFault::SipOn), Err(131_055));
        assert_eq!(refused(SetupFault::LimitLow), Ok(()), "Meta asks that when calling is enabled");
    }

    #[test]
    fn refuses_another_number_with_100() {
        let refusal = judge("v26.0", "1", Some("Bearer an access token")).unwrap_err();

        assert_eq!((refusal.status.as_u16(), refusal.code), (400, 100));
    }

    fn judge(version: &str, number: &str, authorization: Option<&str>) -> Result<(), GraphError> {
        let headers =
            authorization.map(|value| (AUTHORIZATION, value.parse().unwrap())).into_iter().collect();
        check(&MetaConfig::default(), &MetaConfig::default().access_token, version, number, &headers)
    }
}
