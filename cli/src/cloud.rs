//! The deployment's table, and in plain words why it cannot be had.

use crate::Common;
use crate::seen::Unseen;
use anyhow::anyhow;
use aws_sdk_dynamodb::Client;
use ledger::Ledger;

/// Why nothing of AWS can be asked.
pub const NO_REGION: &str = "no AWS region is set: set AWS_REGION, or AWS_PROFILE to a profile that has one";

const NO_CREDENTIALS: &str = "no AWS credentials were found: run `aws configure`, or set AWS_PROFILE";
const BAD_CREDENTIALS: &str = "AWS does not take these credentials (any more): sign in again";

/// Why AWS does not do as it is asked, as far as its words show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    NoCredentials,
    BadCredentials,
    Forbidden,
    NotThere,
    Unreachable,
    Other,
}

/// The table of the deployment that is meant. Nothing is asked of AWS yet.
pub async fn ledger(common: &Common) -> anyhow::Result<Ledger> {
    let config = service::cloud::config().await;
    if config.region().is_none() {
        return Err(anyhow!(NO_REGION));
    }
    Ok(Ledger::new(Client::new(&config), &common.table))
}

/// An error of AWS, said so that somebody at a terminal can put it right.
pub fn plainly(error: &anyhow::Error, common: &Common) -> anyhow::Error {
    let (whole, table) = (in_one_line(error), &common.table);
    match trouble(&whole) {
        Trouble::NoCredentials => anyhow!(NO_CREDENTIALS),
        Trouble::BadCredentials => anyhow!(BAD_CREDENTIALS),
        Trouble::Forbidden => anyhow!("these credentials may not use the table {table}"),
        Trouble::NotThere => {
            anyhow!("there is no table {table} in this account and region: name it with --table")
        }
        Trouble::Unreachable => anyhow!("AWS cannot be reached: {whole}"),
        Trouble::Other => anyhow!(whole),
    }
}

/// Why something of AWS could not be seen.
pub fn unseen(error: &anyhow::Error, what: &str) -> Unseen {
    let whole = in_one_line(error);
    match trouble(&whole) {
        Trouble::NoCredentials => Unseen::because(NO_CREDENTIALS),
        Trouble::BadCredentials => Unseen::because(BAD_CREDENTIALS),
        Trouble::Forbidden => Unseen::because(format!("these credentials may not use {what}")),
        Trouble::NotThere => Unseen::missing(format!("there is no {what} in this account and region")),
        Trouble::Unreachable | Trouble::Other => {
            Unseen::because(format!("AWS cannot be asked for {what}: {whole}"))
        }
    }
}

fn trouble(whole: &str) -> Trouble {
    let says = |words: &[&str]| words.iter().any(|word| whole.contains(word));
    if says(&["no credentials found in chain"]) {
        Trouble::NoCredentials
    } else if says(&["ResourceNotFoundException"]) {
        Trouble::NotThere
    } else if says(&["ExpiredToken", "UnrecognizedClient", "InvalidSignature", "InvalidClientTokenId"]) {
        Trouble::BadCredentials
    } else if says(&["AccessDenied"]) {
        Trouble::Forbidden
    } else if says(&["dispatch failure", "timeout", "timed out"]) {
        Trouble::Unreachable
    } else {
        Trouble::Other
    }
}

pub fn in_one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").replace('\n', " ")
}
