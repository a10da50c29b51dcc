//! Authenticates requests about the business by their bearer token.

use super::error::GraphError;
use crate::business_records::BusinessRecords;
use crate::cloud::Cloud;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// The permission for whatever is about the account and its numbers.
pub(super) const MANAGEMENT: &str = "whatsapp_business_management";

/// Whose token a request bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bearer {
    /// The business's own.
    Business,
    /// The app's: its id and its secret.
    App,
}

/// Authenticates the client of a request.
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

/// Returns the records of the business, if the request's token may see them.
pub(super) fn managed_records(
    cloud: &Cloud,
    version: &str,
    headers: &HeaderMap,
) -> Result<BusinessRecords, GraphError> {
    let bearer = of(cloud, version, headers)?;
    let records = cloud.records();
    manages(bearer, &records)?;
    Ok(records)
}

/// Whether the business's token may do this with the account.
fn manages(bearer: Bearer, records: &BusinessRecords) -> Result<(), GraphError> {
    if bearer != Bearer::Business {
        return Err(GraphError::invalid(
            "Unsupported request. The object does not exist, or may not be seen",
        ));
    }
    if !records.token.scopes.iter().any(|scope| scope == MANAGEMENT) {
        return Err(GraphError::not_permitted(MANAGEMENT));
    }
    if !records.token.accounts.contains(&records.account.id) {
        return Err(GraphError::invalid(
            "Unsupported request. The object does not exist, or may not be seen",
        ));
    }
    Ok(())
}
