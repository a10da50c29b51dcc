//! DynamoDB: the embedded engine, the template's tables in it, and the way to it.

mod faults;

use crate::listening::{self, ANY_PORT};
use crate::refusal::Refusal;
use crate::template::{self, Table};
use anyhow::{Context, anyhow};
use axum::body::{Body, to_bytes};
use axum::http::uri::{Authority, Scheme, Uri};
use axum::http::{Request, StatusCode, header::HOST};
use axum::response::{IntoResponse, Response};
use dynoxide::Database;
use faults::Outcome;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use sim_network::Connection;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use tokio_util::sync::CancellationToken;

pub(crate) use faults::DynamoDbFaults;
pub use faults::{CancellationReason, Outage};

/// The engine, which listens on a port of its own, and a client to hand it what the endpoint gets.
///
/// `dynoxide` offers its server whole, not as a router to mount; and what only its server does (validation of
/// the raw request) must not be lost.
#[derive(Debug)]
pub(crate) struct DynamoDb {
    engine: SocketAddr,
    client: Client<HttpConnector, Body>,
    names: BTreeMap<String, String>,
    faults: DynamoDbFaults,
}

impl DynamoDb {
    /// An engine with the tables of a template: in memory, or in a file, which may hold them already.
    pub(crate) async fn start(
        template: &Path,
        file: Option<&Path>,
        seed: u64,
        over: CancellationToken,
    ) -> anyhow::Result<Self> {
        let tables = read(template)?;
        let is_new = !file.is_some_and(Path::exists);
        let database = open(file)?;
        for table in tables.iter().filter(|_| is_new) {
            create(&database, table).with_context(|| format!("cannot create table {}", table.name))?;
        }
        let listener = listening::bind(ANY_PORT).await?;
        let engine = listening::address(&listener);
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, over.cancelled_owned()));
        let names = tables.into_iter().map(|table| (table.logical_id, table.name)).collect();
        Ok(Self { engine, client: client(), names, faults: DynamoDbFaults::new(seed) })
    }

    /// The name of a table by its key in the template.
    pub(crate) fn table_name(&self, logical_id: &str) -> Option<&str> {
        self.names.get(logical_id).map(String::as_str)
    }

    pub(crate) fn faults(&self) -> &DynamoDbFaults {
        &self.faults
    }

    /// Answers one request, as far as no injected fault decides otherwise.
    pub(crate) async fn answer(
        &self,
        client: &str,
        action: &str,
        request: Request<Body>,
        connection: &Connection,
    ) -> Result<Response, Refusal> {
        match self.faults.outcome(client, action) {
            Outcome::Reached { after } => {
                tokio::time::sleep(after).await;
                Ok(self.forward(request).await)
            }
            Outcome::Refused(refusal) => Err(refusal),
            Outcome::Cancelled(why) => Ok(faults::cancelled(&read_json(request).await?, why)),
            Outcome::Cut => Ok(cut(connection)),
            Outcome::Silenced => {
                self.faults.outage_ended().await;
                Ok(cut(connection))
            }
            Outcome::Unanswered => {
                self.forward(request).await;
                Ok(cut(connection))
            }
        }
    }

    /// Hands a request to the engine as it came.
    async fn forward(&self, mut request: Request<Body>) -> Response {
        *request.uri_mut() = self.uri();
        request.headers_mut().remove(HOST);
        match self.client.request(request).await {
            Ok(response) => response.into_response(),
            Err(error) => {
                tracing::error!(%error, "The DynamoDB engine did not answer");
                Refusal::new("InternalServerError", error.to_string()).with_status(500).into_response()
            }
        }
    }

    fn uri(&self) -> Uri {
        let authority: Authority = self.engine.to_string().parse().expect("an address is an authority");
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(authority)
            .path_and_query("/")
            .build()
            .expect("all its parts are given")
    }
}

/// Cuts the connection. What is returned for an answer never leaves this machine's memory.
fn cut(connection: &Connection) -> Response {
    connection.cut();
    StatusCode::GONE.into_response()
}

async fn read_json(request: Request<Body>) -> Result<serde_json::Value, Refusal> {
    let refused = |error: String| Refusal::new("SerializationException", error);
    let body = to_bytes(request.into_body(), usize::MAX).await.map_err(|error| refused(error.to_string()))?;
    serde_json::from_slice(&body).map_err(|error| refused(error.to_string()))
}

fn client() -> Client<HttpConnector, Body> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

fn open(file: Option<&Path>) -> anyhow::Result<Database> {
    let database = match file.map(|file| file.to_str().context("its path is not UTF-8")).transpose()? {
        Some(file) => Database::new(file),
        None => Database::memory(),
    };
    database.map_err(|error| anyhow!("cannot open DynamoDB: {error}"))
}

fn read(template: &Path) -> anyhow::Result<Vec<Table>> {
    let text = std::fs::read_to_string(template)
        .with_context(|| format!("cannot read the template {}", template.display()))?;
    template::tables(&text).with_context(|| format!("in {}", template.display()))
}

fn create(database: &Database, table: &Table) -> anyhow::Result<()> {
    let refused = |error| anyhow!("{error}");
    database.create_table(serde_json::from_value(table.create.clone())?).map_err(refused)?;
    if let Some(specification) = &table.time_to_live {
        let update = json!({"TableName": table.name, "TimeToLiveSpecification": specification});
        database.update_time_to_live(serde_json::from_value(update)?).map_err(refused)?;
    }
    Ok(())
}
