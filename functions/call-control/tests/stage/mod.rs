//! The AWS of the webhook's tests, for call-control.

#![allow(dead_code, reason = "the webhook's tests use more of it")]

#[path = "../../../webhook/tests/stage/cloud.rs"]
mod cloud;

pub(crate) use cloud::Cloud;

pub(crate) const TABLE: &str = cloud::TABLE;

const APP_SECRET: &str = "app-secret";
