//! Configures a real AWS SDK client that speaks to this cloud.

use crate::environment::Environment;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;

/// The configuration a child would read from `environment`, for a client in this process.
pub(crate) fn configuration(environment: &Environment) -> SdkConfig {
    let setting = |name: &str| environment[name].clone();
    let (id, secret) = (setting("AWS_ACCESS_KEY_ID"), setting("AWS_SECRET_ACCESS_KEY"));
    let credentials = Credentials::new(id, secret, None, None, "rehearsal");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(setting("AWS_ENDPOINT_URL"))
        .region(Region::new(setting("AWS_REGION")))
        .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}
