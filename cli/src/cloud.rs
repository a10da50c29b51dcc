//! Connects to the deployment's DynamoDB table, and explains AWS errors in terms of what to run.

use crate::Common;
use crate::fetched::FetchError;
use anyhow::anyhow;
use store::Store;

pub(crate) const NO_REGION: &str =
    "no AWS region is set: set AWS_REGION to the stack's region, or AWS_PROFILE to a profile that has one";

const NO_CREDENTIALS: &str = "no AWS credentials were found: run `aws configure`, or log in with `aws sso login --profile NAME` or `aws login` and set AWS_PROFILE";

/// Why an AWS request failed, recognized by the error's text: the SDK gives credential errors no type of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AwsErrorKind {
    NoCredentials,
    /// The profile's login at IAM Identity Center has expired or never happened.
    NoSsoLogin,
    /// The profile's `aws login` has expired or never happened.
    NoLogin,
    NoProfile,
    /// The profile's `credential_process` failed.
    ProcessFailed,
    BadCredentials,
    Forbidden,
    NotFound,
    Unreachable,
    Other,
}

/// Returns the deployment's table, without a request to AWS yet.
pub(crate) async fn store(common: &Common) -> anyhow::Result<Store> {
    let config = service::cloud::config().await;
    if config.region().is_none() {
        return Err(anyhow!(NO_REGION));
    }
    Ok(Store::new(aws_sdk_dynamodb::Client::new(&config), &common.table()))
}

/// Rewrites an AWS error as one line that says what to run or set.
pub(crate) fn explain(error: &anyhow::Error, common: &Common) -> anyhow::Error {
    let (whole, table) = (in_one_line(error), common.table());
    match classify(&whole) {
        AwsErrorKind::NotFound => anyhow!(
            "there is no table {table} in this account and region: name its stack with --stack, or the table with --table or TABLE, and set AWS_REGION to its region"
        ),
        AwsErrorKind::Forbidden => {
            anyhow!("these credentials may not use the table {table}{}", missing_permission(&whole))
        }
        AwsErrorKind::Unreachable => anyhow!("AWS cannot be reached: {whole}"),
        AwsErrorKind::Other => anyhow!(whole),
        credentials => anyhow!(credentials_hint(credentials, &whole, profile().as_deref())),
    }
}

/// Says why `what` could not be fetched from AWS.
pub(crate) fn fetch_error(error: &anyhow::Error, what: &str) -> FetchError {
    let whole = in_one_line(error);
    match classify(&whole) {
        AwsErrorKind::NotFound => {
            FetchError::missing(format!("there is no {what} in this account and region"))
        }
        AwsErrorKind::Forbidden => {
            FetchError::because(format!("these credentials may not use {what}{}", missing_permission(&whole)))
        }
        AwsErrorKind::Unreachable | AwsErrorKind::Other => {
            FetchError::because(format!("AWS request for {what} failed: {whole}"))
        }
        credentials => FetchError::because(credentials_hint(credentials, &whole, profile().as_deref())),
    }
}

/// Says what is wrong with the credentials, and what to run.
fn credentials_hint(kind: AwsErrorKind, whole: &str, profile: Option<&str>) -> String {
    let named = profile.map(|name| format!(" {name}")).unwrap_or_default();
    let with = profile.map(|name| format!(" --profile {name}")).unwrap_or_default();
    match kind {
        AwsErrorKind::NoSsoLogin => {
            format!("the SSO login of the profile{named} has expired: run aws sso login{with}")
        }
        AwsErrorKind::NoLogin => format!("the login of the profile{named} has expired: run aws login{with}"),
        AwsErrorKind::NoProfile => {
            format!("there is no AWS profile{named}: aws configure list-profiles lists those there are")
        }
        AwsErrorKind::ProcessFailed => {
            format!("the credential_process of the profile{named} failed: {whole}")
        }
        AwsErrorKind::BadCredentials => format!(
            "AWS rejects these credentials, or they have expired: run aws sso login{with}, aws login{with} or aws configure{with}"
        ),
        AwsErrorKind::NoCredentials
        | AwsErrorKind::Forbidden
        | AwsErrorKind::NotFound
        | AwsErrorKind::Unreachable
        | AwsErrorKind::Other => NO_CREDENTIALS.to_owned(),
    }
}

fn profile() -> Option<String> {
    std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty())
}

/// Returns the missing permission as AWS names it: "… is not authorized to perform: dynamodb:Query on resource: …".
fn missing_permission(whole: &str) -> String {
    let action = whole.split_once("not authorized to perform: ").and_then(|(_, rest)| rest.split(' ').next());
    action.map(|action| format!(": they lack {action}")).unwrap_or_default()
}

fn classify(whole: &str) -> AwsErrorKind {
    const KINDS: [(AwsErrorKind, &[&str]); 9] = [
        (AwsErrorKind::NoSsoLogin, &["SSO token", "Session token not found or invalid"]),
        (AwsErrorKind::NoLogin, &["cached Login token", "/login/cache/"]),
        (AwsErrorKind::NoProfile, &["was not defined"]),
        (AwsErrorKind::ProcessFailed, &["external process", "credential_process"]),
        (AwsErrorKind::NoCredentials, &["no credentials found in chain"]),
        (AwsErrorKind::NotFound, &["ResourceNotFoundException"]),
        (
            AwsErrorKind::BadCredentials,
            &["ExpiredToken", "UnrecognizedClient", "InvalidSignature", "InvalidClientTokenId"],
        ),
        (AwsErrorKind::Forbidden, &["AccessDenied"]),
        (AwsErrorKind::Unreachable, &["dispatch failure", "timeout", "timed out"]),
    ];
    let found = KINDS.iter().find(|(_, words)| words.iter().any(|word| whole.contains(word)));
    found.map_or(AwsErrorKind::Other, |(kind, _)| *kind)
}

pub(crate) fn in_one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").replace('\n', " ")
}
