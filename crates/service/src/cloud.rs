//! AWS configuration: region, credentials and endpoints from the environment, and timeouts.

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use std::time::Duration;

/// The timeout of one attempt. After it the connection is most likely dead: Lambda freezes a function's process between invocations, and
/// its connections with it.
const ATTEMPT: Duration = Duration::from_secs(3);

/// The timeout of a request with all its attempts.
const REQUEST: Duration = Duration::from_secs(9);

/// The timeout of an invocation: call-control may be waiting for Meta.
const INVOCATION: Duration = Duration::from_secs(30);

/// Returns the configuration of all AWS clients of this process.
pub async fn config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(REQUEST)
        .build();
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await
}

/// Returns the configuration for invoking functions and waiting for their replies.
pub fn for_invoking(config: &SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(INVOCATION)
        .operation_timeout(INVOCATION)
        .build();
    config.to_builder().timeout_config(timeouts).build()
}
