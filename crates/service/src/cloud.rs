//! AWS, as this process finds it: region, credentials and endpoints from the environment.

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use std::time::Duration;

/// So long one attempt at a request may take. Longer, and the connection is most likely dead: a function's processes are
/// frozen between invocations, and their connections with them.
const ATTEMPT: Duration = Duration::from_secs(3);

/// So long a request may take, with all its attempts.
const REQUEST: Duration = Duration::from_secs(9);

/// So long a function may be waited for: call-control may be waiting for Meta.
const INVOCATION: Duration = Duration::from_secs(30);

/// The configuration all AWS clients of this process share.
pub async fn config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(REQUEST)
        .build();
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await
}

/// The same, for invoking functions and waiting for what they reply.
pub fn for_invoking(config: &SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(INVOCATION)
        .operation_timeout(INVOCATION)
        .build();
    config.to_builder().timeout_config(timeouts).build()
}
