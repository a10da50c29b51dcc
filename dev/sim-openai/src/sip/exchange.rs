//! All calls of a simulator, the endpoints that hear of them, and the tasks that keep them going.

use super::call::Call;
use super::client_deaths::ClientDeaths;
use super::delivery::{Letter, Postman};
use super::driver::drive;
use super::endpoints::{Endpoints, Now};
use super::shared_call::SharedCall;
use super::{Action, CallSpec, RegisteredEndpoint, Request, SipFault, WebhookEndpoint, webhook_event};
use crate::session_registry::{SessionRegistry, unix_now};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;
use tokio::task::JoinSet;
use tracing::info;

/// How old the event of a stale webhook is, seconds.
const STALE: u64 = 60 * 60;

#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) registry: Arc<SessionRegistry>,
    pub(crate) client_deaths: ClientDeaths,
    postman: Arc<Postman>,
    calls: Mutex<Vec<Arc<SharedCall>>>,
    endpoints: Mutex<Endpoints>,
    /// Requests about calls that never were.
    strays: Mutex<Vec<(String, Request)>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Exchange {
    pub(crate) fn new(registry: Arc<SessionRegistry>) -> anyhow::Result<Self> {
        let endpoints = Endpoints::new(registry.config.seed, registry.config.sip.takes_http_webhooks);
        Ok(Self {
            postman: Arc::new(Postman::new(&registry.config)?),
            registry,
            client_deaths: ClientDeaths::default(),
            calls: Mutex::default(),
            endpoints: Mutex::new(endpoints),
            strays: Mutex::default(),
            tasks: Mutex::default(),
        })
    }

    /// A call comes in, and every endpoint hears of it.
    pub(crate) fn ring(&self, spec: CallSpec) -> Arc<SharedCall> {
        let config = self.registry.config.clone();
        let call = {
            let mut calls = lock(&self.calls);
            let call = Call::placed(calls.len(), spec, config.clone(), Instant::now());
            let call = Arc::new(SharedCall::new(call, self.registry.clone()));
            calls.push(call.clone());
            info!(call = calls.len() - 1, "Call {} comes in", calls.len() - 1);
            call
        };
        self.spawn(drive(call.clone()));
        let fault = call.look(Call::fault);
        match fault {
            Some(SipFault::TestEvent) => self.announce(&webhook_event::test(unix_now()), None),
            Some(SipFault::OtherEvents) => {
                webhook_event::others(unix_now()).iter().for_each(|event| self.announce(event, None));
            }
            _ => {}
        }
        let created_at = unix_now() - if fault == Some(SipFault::Stale) { STALE } else { 0 };
        let event = call.look(|call| {
            webhook_event::incoming(call.spec(), &config.sip.project, call.id(), created_at, fault)
        });
        self.announce(&event, Some(&call));
        call
    }

    /// Sends an event to every endpoint that wants its type.
    pub(crate) fn announce(&self, event: &Value, call: Option<&Arc<SharedCall>>) {
        let wanting = self.endpoints().of_event(event["type"].as_str().unwrap_or_default(), Self::now());
        for endpoint in wanting {
            let letter = Letter::new(endpoint, event, call.cloned());
            self.spawn(self.postman.clone().deliver(letter));
        }
    }

    pub(crate) fn set_endpoints(&self, endpoints: Vec<WebhookEndpoint>) {
        self.endpoints().replace_all(endpoints, Self::now());
    }

    pub(crate) fn add_endpoint(&self, endpoint: WebhookEndpoint) {
        self.endpoints().add(endpoint, Self::now());
    }

    pub(crate) fn registered_endpoints(&self) -> Vec<RegisteredEndpoint> {
        self.endpoints().report(Self::now())
    }

    pub(crate) fn endpoints(&self) -> MutexGuard<'_, Endpoints> {
        lock(&self.endpoints)
    }

    pub(crate) fn now() -> Now {
        Now { at: Instant::now(), unix: unix_now() }
    }

    pub(crate) fn calls(&self) -> Vec<Arc<SharedCall>> {
        lock(&self.calls).clone()
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<SharedCall>> {
        lock(&self.calls).iter().find(|call| call.look(|call| call.id() == id)).cloned()
    }

    /// A client asked for something about a call that never was.
    pub(crate) fn note_stray(&self, id: &str, action: Action, body: Value) {
        let (code, at) = (Some("call_id_not_found".to_owned()), Instant::now());
        let request = Request { at, action, body, status: 404, code, took_effect: false, was_answered: true };
        lock(&self.strays).push((id.to_owned(), request));
    }

    pub(crate) fn strays(&self) -> Vec<(String, Request)> {
        lock(&self.strays).clone()
    }

    /// Ends every call and delivery where it is.
    pub(crate) fn stop(&self) {
        lock(&self.tasks).abort_all();
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panics while holding a list of the exchange")
}
