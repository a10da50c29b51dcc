//! Verifies a webhook address before anything is sent there.

use super::error::GraphError;
use crate::cloud::Cloud;

/// Asks an address for the challenge before anything is sent there.
pub(super) async fn challenge(cloud: &Cloud, url: &str, verify_token: &str) -> Result<(), GraphError> {
    let challenge = cloud.rng().u64(..) >> 33;
    let asked = cloud.sender.challenge(url, verify_token, challenge).await;
    asked.map_err(|error| GraphError::callback(&error.to_string()))
}
