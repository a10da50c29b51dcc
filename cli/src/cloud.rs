//! The deployment's table, and in plain words why it cannot be had.

use crate::Common;
use crate::fetched::FetchError;
use anyhow::anyhow;
use aws_sdk_dynamodb::Client;
use store::Store;

/// Why nothing of AWS can be asked.
pub const NO_REGION: &str =
    "no AWS region is set: set AWS_REGION to where the stack is, or AWS_PROFILE to a profile that has one";

const NO_CREDENTIALS: &str = "no AWS credentials were found: run `aws configure`, or log in with `aws sso login --profile NAME` or `aws login` and set AWS_PROFILE";

/// Why AWS does not do as it is asked, as far as its words show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TableError {
    NoCredentials,
    /// The profile's login at IAM Identity Center is over, or never was.
    NoSsoLogin,
    /// The same of `aws login`.
    NoLogin,
    NoProfile,
    /// The profile's `credential_process`.
    ProcessFailed,
    BadCredentials,
    Forbidden,
    NotThere,
    Unreachable,
    Other,
}

/// The table of the deployment that is meant. Nothing is asked of AWS yet.
pub async fn ledger(common: &Common) -> anyhow::Result<Store> {
    let config = service::cloud::config().await;
    if config.region().is_none() {
        return Err(anyhow!(NO_REGION));
    }
    Ok(Store::new(Client::new(&config), &common.table()))
}

/// An error of AWS, said so that it can be put right at a terminal.
pub fn plainly(error: &anyhow::Error, common: &Common) -> anyhow::Error {
    let (whole, table) = (in_one_line(error), common.table());
    match trouble(&whole) {
        TableError::NotThere => anyhow!(
            "there is no table {table} in this account and region: it is named after its stack (--stack, else --table or TABLE), and AWS_REGION is where that is"
        ),
        TableError::Forbidden => {
            anyhow!("these credentials may not use the table {table}{}", lacking(&whole))
        }
        TableError::Unreachable => anyhow!("AWS cannot be reached: {whole}"),
        TableError::Other => anyhow!(whole),
        of_credentials => anyhow!(sign_in(of_credentials, &whole, profile().as_deref())),
    }
}

/// Why something of AWS could not be seen.
pub fn unseen(error: &anyhow::Error, what: &str) -> FetchError {
    let whole = in_one_line(error);
    match trouble(&whole) {
        TableError::NotThere => FetchError::missing(format!("there is no {what} in this account and region")),
        TableError::Forbidden => {
            FetchError::because(format!("these credentials may not use {what}{}", lacking(&whole)))
        }
        TableError::Unreachable | TableError::Other => {
            FetchError::because(format!("AWS cannot be asked for {what}: {whole}"))
        }
        of_credentials => FetchError::because(sign_in(of_credentials, &whole, profile().as_deref())),
    }
}

/// What is wrong with the credentials, and what to run.
fn sign_in(trouble: TableError, whole: &str, profile: Option<&str>) -> String {
    let named = profile.map(|name| format!(" {name}")).unwrap_or_default();
    let with = profile.map(|name| format!(" --profile {name}")).unwrap_or_default();
    match trouble {
        TableError::NoSsoLogin => format!("the SSO login of the profile{named} is over: aws sso login{with}"),
        TableError::NoLogin => format!("the login of the profile{named} is over: aws login{with}"),
        TableError::NoProfile => {
            format!("the AWS profile{named} is not there: aws configure list-profiles shows which are")
        }
        TableError::ProcessFailed => format!("the credential_process of the profile{named} failed: {whole}"),
        TableError::BadCredentials => format!(
            "AWS does not take these credentials (any more): sign in again, by aws sso login{with}, aws login{with} or aws configure{with}"
        ),
        TableError::NoCredentials
        | TableError::Forbidden
        | TableError::NotThere
        | TableError::Unreachable
        | TableError::Other => NO_CREDENTIALS.to_owned(),
    }
}

/// The profile that is meant, where one is named.
fn profile() -> Option<String> {
    std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty())
}

/// Which right is lacking, as AWS names it: "… is not authorized to perform: dynamodb:Query on resource: …".
fn lacking(whole: &str) -> String {
    let action = whole.split_once("not authorized to perform: ").and_then(|(_, rest)| rest.split(' ').next());
    action.map(|action| format!(": they lack {action}")).unwrap_or_default()
}

fn trouble(whole: &str) -> TableError {
    const KINDS: [(TableError, &[&str]); 9] = [
        (TableError::NoSsoLogin, &["SSO token", "Session token not found or invalid"]),
        (TableError::NoLogin, &["cached Login token", "/login/cache/"]),
        (TableError::NoProfile, &["was not defined"]),
        (TableError::ProcessFailed, &["external process", "credential_process"]),
        (TableError::NoCredentials, &["no credentials found in chain"]),
        (TableError::NotThere, &["ResourceNotFoundException"]),
        (
            TableError::BadCredentials,
            &["ExpiredToken", "UnrecognizedClient", "InvalidSignature", "InvalidClientTokenId"],
        ),
        (TableError::Forbidden, &["AccessDenied"]),
        (TableError::Unreachable, &["dispatch failure", "timeout", "timed out"]),
    ];
    let found = KINDS.iter().find(|(_, words)| words.iter().any(|word| whole.contains(word)));
    found.map_or(TableError::Other, |(trouble, _)| *trouble)
}

pub fn in_one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").replace('\n', " ")
}
