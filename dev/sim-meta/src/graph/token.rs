//! `GET /{version}/debug_token`: what a token is, and what it may do.

use super::error::GraphError;
use super::{bearer, permissions};
use crate::cloud::Cloud;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    input_token: String,
}

pub(super) async fn debug(
    State(cloud): State<Arc<Cloud>>,
    Path(version): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<Value>, GraphError> {
    bearer::of(&cloud, &version, &headers)?;
    let records = cloud.records();
    if asked.input_token != cloud.access_token() || !records.token.is_valid {
        let error = json!({ "code": 190, "message": "Invalid OAuth access token." });
        return Ok(Json(json!({ "data": { "is_valid": false, "error": error, "scopes": [] } })));
    }
    let granular = records.token.scopes.iter();
    let granular = granular.map(|scope| json!({ "scope": scope, "target_ids": records.token.accounts }));
    Ok(Json(json!({ "data": {
        "app_id": records.app.id,
        "type": records.token.kind,
        "application": records.app.name,
        "data_access_expires_at": 0,
        "expires_at": records.token.expires_at,
        "is_valid": true,
        "issued_at": 1_790_000_000,
        "scopes": records.token.scopes,
        "granular_scopes": granular.collect::<Vec<_>>(),
        "user_id": permissions::USER,
    } })))
}
