//! `GetFunctionUrlConfig`: where a function is to be asked over HTTP.

use super::Lambda;
use crate::identity::arn;
use crate::refusal::Refusal;
use serde_json::{Value, json};
use std::sync::PoisonError;

impl Lambda {
    /// Has a function be one that runs elsewhere, behind an address of its own.
    pub(crate) fn put_elsewhere(&self, name: &str, url: &str) {
        let mut elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        elsewhere.insert(name.to_owned(), url.to_owned());
    }

    /// `GET /2021-10-31/functions/{function}/url`
    pub(crate) fn url_config(&self, name: &str) -> Result<Value, Refusal> {
        let elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let url = elsewhere.or_else(|| self.url(name).map(|address| format!("http://{address}/")));
        let missing =
            || Refusal::new("ResourceNotFoundException", "The resource you requested does not exist.");
        let url = url.ok_or_else(|| missing().with_status(404))?;
        let since = "2026-11-22T18:00:00.000Z";
        Ok(
            json!({"AuthType": "NONE", "CreationTime": since, "FunctionArn": arn("lambda", &format!("function:{name}")),
            "FunctionUrl": url, "InvokeMode": "BUFFERED", "LastModifiedTime": since}),
        )
    }
}
