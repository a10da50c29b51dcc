//! A request about a node, `/{version}/{node}…`: what its token lets it see and do.

use super::bearer::{self, Bearer, MANAGEMENT};
use super::error::GraphError;
use super::permit;
use crate::business_records::BusinessRecords;
use crate::cloud::Cloud;
use axum::Json;
use axum::extract::{FromRequestParts, Path};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde_json::Value;
use std::sync::Arc;

/// What Graph replies.
pub(super) type Answer = Result<Json<Value>, GraphError>;

pub(super) struct NodeRequest {
    pub(super) cloud: Arc<Cloud>,
    pub(super) version: String,
    pub(super) node: String,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<Cloud>> for NodeRequest {
    type Rejection = GraphError;

    async fn from_request_parts(parts: &mut Parts, cloud: &Arc<Cloud>) -> Result<Self, GraphError> {
        let path = Path::from_request_parts(parts, cloud).await;
        let Path((version, node)) = path.map_err(|_| GraphError::unknown_path())?;
        Ok(Self { cloud: cloud.clone(), version, node, headers: parts.headers.clone() })
    }
}

impl NodeRequest {
    pub(super) fn bearer(&self) -> Result<Bearer, GraphError> {
        bearer::of(&self.cloud, &self.version, &self.headers)
    }

    /// Checks that it may act for the number: make its calls, and send its messages.
    pub(super) fn permit(&self) -> Result<(), GraphError> {
        let Self { cloud, version, node, headers } = self;
        permit::check(&cloud.config, &cloud.access_token(), version, node, headers)
    }

    /// Returns the records of the business, if the token may see them.
    pub(super) fn records(&self) -> Result<BusinessRecords, GraphError> {
        let bearer = self.bearer()?;
        let records = self.cloud.records();
        if bearer != Bearer::Business {
            return Err(GraphError::no_object());
        }
        if !records.token.scopes.iter().any(|scope| scope == MANAGEMENT) {
            return Err(GraphError::not_permitted(MANAGEMENT));
        }
        if !records.token.accounts.contains(&records.account.id) {
            return Err(GraphError::no_object());
        }
        Ok(records)
    }

    /// The same, of a request about the account.
    pub(super) fn account_records(&self) -> Result<BusinessRecords, GraphError> {
        let records = self.records()?;
        if self.node == records.account.id { Ok(records) } else { Err(GraphError::no_object()) }
    }

    /// The same, of a request about the number.
    pub(super) fn number_records(&self) -> Result<BusinessRecords, GraphError> {
        let records = self.records()?;
        if self.node == self.cloud.config.phone_number_id {
            Ok(records)
        } else {
            Err(GraphError::no_object())
        }
    }
}
