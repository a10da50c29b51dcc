//! The deployment's table, and in plain words why it cannot be had.

use crate::Common;
use crate::seen::Unseen;
use anyhow::anyhow;
use aws_sdk_dynamodb::Client;
use ledger::Ledger;

/// The table of the deployment that is meant. Nothing is asked of AWS yet.
pub async fn ledger(common: &Common) -> anyhow::Result<Ledger> {
    let config = service::cloud::config().await;
    if config.region().is_none() {
        return Err(anyhow!(
            "no AWS region is set: set AWS_REGION, or AWS_PROFILE to a profile that has one"
        ));
    }
    Ok(Ledger::new(Client::new(&config), &common.table))
}

/// An error of AWS, said so that somebody at a terminal can put it right.
pub fn plainly(error: &anyhow::Error, common: &Common) -> anyhow::Error {
    let whole = format!("{error:#}").replace('\n', " ");
    let says = |words: &[&str]| words.iter().any(|word| whole.contains(word));
    if says(&["no credentials found in chain"]) {
        return anyhow!("no AWS credentials were found: run `aws configure`, or set AWS_PROFILE");
    }
    if says(&["ResourceNotFoundException"]) {
        let table = &common.table;
        return anyhow!("there is no table {table} in this account and region: name it with --table");
    }
    if says(&["ExpiredToken", "UnrecognizedClient", "InvalidSignature", "InvalidClientTokenId"]) {
        return anyhow!("AWS does not take these credentials (any more): sign in again");
    }
    if says(&["AccessDenied"]) {
        return anyhow!("these credentials may not use the table {}", common.table);
    }
    if says(&["dispatch failure", "timeout", "timed out"]) {
        return anyhow!("AWS cannot be reached: {whole}");
    }
    anyhow!(whole)
}

/// Why something of AWS could not be seen.
pub fn unseen(error: &anyhow::Error, what: &str) -> Unseen {
    let whole = format!("{error:#}").replace('\n', " ");
    let says = |words: &[&str]| words.iter().any(|word| whole.contains(word));
    if says(&["no credentials found in chain"]) {
        return Unseen::because("no AWS credentials were found: run `aws configure`, or set AWS_PROFILE");
    }
    if says(&["ResourceNotFoundException"]) {
        return Unseen::missing(format!("there is no {what} in this account and region"));
    }
    if says(&["ExpiredToken", "UnrecognizedClient", "InvalidSignature", "InvalidClientTokenId"]) {
        return Unseen::because("AWS does not take these credentials (any more): sign in again");
    }
    if says(&["AccessDenied"]) {
        return Unseen::because(format!("these credentials may not use {what}"));
    }
    Unseen::because(format!("AWS cannot be asked for {what}: {whole}"))
}
