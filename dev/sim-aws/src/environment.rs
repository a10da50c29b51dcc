//! The settings by which a program finds this cloud, and only this cloud.

use crate::identity::REGION;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// The part of its credentials by which the endpoint identifies a program.
pub(crate) const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The access key of the rehearsal itself, and of other programs that were pointed at this cloud by hand.
pub(crate) const OUTSIDER: &str = "rehearsal";

pub(crate) type Environment = BTreeMap<String, String>;

/// What makes an AWS SDK speak to `endpoint` and to nothing else.
///
/// Without a region or with IMDS enabled an SDK asks 169.254.169.254; with a home it would read the real
/// credentials of the person who rehearses. Neither must happen.
pub(crate) fn pointing_at(endpoint: SocketAddr) -> Environment {
    [
        ("AWS_ENDPOINT_URL", format!("http://{endpoint}").as_str()),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        (ACCESS_KEY_ID, OUTSIDER),
        ("AWS_SECRET_ACCESS_KEY", "rehearsal"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The few settings of ours that a child inherits.
pub(crate) fn inherited() -> Environment {
    ["PATH", "HOME", "RUST_LOG", "RUST_BACKTRACE"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect()
}

/// Stops the rehearsal rather than let a child look for the real AWS.
///
/// # Panics
/// When a setting that keeps a child inside is missing.
pub(crate) fn assert_inside(environment: &Environment) {
    for name in ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        assert!(environment.contains_key(name), "a child without {name} would look for the real AWS");
    }
    assert_eq!(environment.get("AWS_EC2_METADATA_DISABLED").map(String::as_str), Some("true"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_points_at_this_cloud_keeps_a_child_inside() {
        assert_inside(&pointing_at(([127, 0, 0, 1], 4566).into()));
    }

    #[test]
    #[should_panic(expected = "AWS_CONFIG_FILE")]
    fn a_child_that_could_read_real_credentials_is_not_started() {
        let mut environment = pointing_at(([127, 0, 0, 1], 4566).into());
        environment.remove("AWS_CONFIG_FILE");

        assert_inside(&environment);
    }
}
