//! Authenticates requests about the business by their bearer token.

use super::error::GraphError;
use crate::cloud::Cloud;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// The permission for whatever is about the account and its numbers.
pub(super) const MANAGEMENT: &str = "whatsapp_business_management";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bearer {
    Business,
    /// The app's: its id and its secret.
    App,
}

pub(super) fn of(cloud: &Cloud, version: &str, headers: &HeaderMap) -> Result<Bearer, GraphError> {
    let records = cloud.records();
    let token = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
    let app = format!("{}|{}", records.app.id, cloud.config.app_secret);
    let bearer = match token {
        Some(token) if token == app => Bearer::App,
        Some(token) if token == cloud.access_token() && records.token.is_valid => Bearer::Business,
        _ => return Err(GraphError::bad_token()),
    };
    super::permit::check_version(version)?;
    if records.is_busy {
        return Err(GraphError::account_busy());
    }
    Ok(bearer)
}
