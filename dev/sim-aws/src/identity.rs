//! Region and account of this cloud, and the ARNs built from them.

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const ACCOUNT: &str = "000000000000";
/// Where every task runs.
pub(crate) const ZONE: &str = "us-east-1a";

/// `arn:aws:{service}:us-east-1:000000000000:{resource}`
pub(crate) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// The last part of an ARN, or the name itself when it is none: `arn:…:task/ahoy/1f` is `1f`.
pub(crate) fn short_name(name_or_arn: &str) -> &str {
    match name_or_arn.strip_prefix("arn:") {
        Some(arn) => arn.rsplit(['/', ':']).next().unwrap_or(arn),
        None => name_or_arn,
    }
}

/// `arn:aws:iam::000000000000:role/MediaTaskRole`: IAM knows no regions.
pub(crate) fn role_arn(logical_id: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{logical_id}")
}
