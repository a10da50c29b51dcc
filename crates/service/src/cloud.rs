//! AWS, as this process finds it: region, credentials and endpoints from the environment.

use aws_config::{BehaviorVersion, SdkConfig};

/// The configuration all AWS clients of this process share.
pub async fn config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).load().await
}
