//! The server itself, and what a test asks of it.

use crate::shared::{Shared, State};
use crate::{Delivery, Fault, Lookup, ToolBehaviour, caller_lookup, orders, outcomes};
use anyhow::Context;
use axum::Router;
use axum::routing::{get, post};
use serde_json::{Map, Value};
use sim_network::{Connection, CuttableListener};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The name agent files know the key by.
pub const KEY_NAME: &str = "shop";

/// Signs requests to the business.
pub const KEY: &str = "a key of the shop";

/// A business's system, listening until it is dropped.
#[derive(Debug)]
pub struct Business {
    address: SocketAddr,
    shared: Shared,
    _serving: JoinSet<std::io::Result<()>>,
}

impl Business {
    /// Listens on a free port of loopback.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), KEY).await
    }

    /// Listens on the address, and accepts this key's signatures.
    pub async fn start_at(address: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        let shared = Shared::new(State {
            host: address.to_string(),
            key: key.to_owned(),
            faults: vec![],
            faults_of: BTreeMap::new(),
            tools: ToolBehaviour::default(),
            customers: BTreeMap::new(),
            answer: None,
            lookups: vec![],
            orders: vec![],
            deliveries: vec![],
            taken: BTreeSet::new(),
            complaints: vec![],
            forged: 0,
        });
        let router = Router::new()
            .route("/caller", post(caller_lookup::look_up))
            .route("/moved", get(caller_lookup::moved).post(caller_lookup::moved))
            .route("/orders", post(orders::look_up))
            .route("/echo", get(orders::echo))
            .route("/calls", post(outcomes::take))
            .with_state(shared.clone())
            .into_make_service_with_connect_info::<Connection>();
        let serving =
            JoinSet::from_iter([async move { axum::serve(CuttableListener(listener), router).await }]);
        Ok(Self { address, shared, _serving: serving })
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the one key whose signatures it accepts.
    pub fn set_key(&self, key: impl Into<String>) {
        self.shared.lock().key = key.into();
    }

    /// Sets how it answers tools from now on.
    pub fn set_behaviour(&self, behaviour: ToolBehaviour) {
        self.shared.lock().tools = behaviour;
    }

    /// Sets what goes wrong from now on, in lookups and with outcomes.
    pub fn set_faults(&self, faults: &[Fault]) {
        self.shared.lock().faults = faults.to_vec();
    }

    /// Sets what goes wrong, too, in lookups of the caller with this number, its digits, or with outcomes of the call of this reference.
    pub fn set_faults_of(&self, whom: &str, faults: &[Fault]) {
        self.shared.lock().faults_of.insert(whom.to_owned(), faults.to_vec());
    }

    /// Knows a customer by the digits of the number.
    pub fn add_customer(&self, number: &str, known: Map<String, Value>) {
        self.shared.lock().customers.insert(number.to_owned(), known);
    }

    /// Sets the answer to all lookups, of every caller.
    pub fn set_answer(&self, answer: Value) {
        self.shared.lock().answer = Some(answer);
    }

    /// Returns the lookups it was asked for, in turn.
    pub fn lookups(&self) -> Vec<Lookup> {
        self.shared.lock().lookups.clone()
    }

    /// Returns the orders it was asked for, in turn.
    pub fn asked(&self) -> Vec<String> {
        self.shared.lock().orders.iter().map(|(order, _)| order.clone()).collect()
    }

    /// Returns the bodies of the tool's requests, in turn.
    pub fn tool_requests(&self) -> Vec<Value> {
        self.shared.lock().orders.iter().map(|(_, body)| body.clone()).collect()
    }

    /// Returns every delivery of an outcome, in turn.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.lock().deliveries.clone()
    }

    /// Returns how many requests it refused for their signature.
    pub fn forged(&self) -> usize {
        self.shared.lock().forged
    }

    /// Returns what was wrong with requests that were signed.
    pub fn complaints(&self) -> Vec<String> {
        self.shared.lock().complaints.clone()
    }

    /// Waits until a condition holds of the deliveries; `None` if it does not within this time.
    pub async fn delivered<T>(
        &self,
        within: Duration,
        wanted: impl Fn(&[Delivery]) -> Option<T>,
    ) -> Option<T> {
        let mut changes = self.shared.changes();
        let found = async {
            loop {
                if let Some(found) = wanted(&self.shared.lock().deliveries) {
                    return found;
                }
                changes.changed().await.expect("the sender lives as long as the business");
            }
        };
        tokio::time::timeout(within, found).await.ok()
    }
}
