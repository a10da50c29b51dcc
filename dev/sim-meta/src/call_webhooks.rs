//! Posts the webhooks of one call: which, in what order, how often, and with what stamps.

use crate::clock::Clock;
use crate::cloud::Cloud;
use crate::shared_call::SharedCall;
use crate::signalling::Ended;
use crate::webhook::batch;
use crate::webhook::notice::{self, Notices};
use crate::{CallerConfig, Event, InjectedFault, ObservationKind, wacid};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How far the stamps are off: Meta's clock may differ from ours by so much.
const STAMPS_OFF_SECONDS: i64 = 120;
/// How old the stamp of a stale `connect` is: a minute beyond what may be answered.
const STALE_SECONDS: i64 = 240;
/// How far ahead the stamp of a `connect` from the future is.
const AHEAD_SECONDS: i64 = 2 * 60 * 60;

pub(crate) struct CallWebhooks<'a> {
    cloud: &'a Cloud,
    call: &'a SharedCall,
    notices: Notices,
    /// Those about another number's call.
    foreign: Option<Notices>,
    clock: Clock,
}

impl<'a> CallWebhooks<'a> {
    pub(crate) fn new(cloud: &'a Cloud, call: &'a SharedCall) -> CallWebhooks<'a> {
        let foreign = call.faults.has(InjectedFault::Foreign).then(|| {
            let id = wacid::fresh("919911111111", notice::ANOTHER_DISPLAY_NUMBER, &mut cloud.rng());
            Notices::of_another_number(&id)
        });
        CallWebhooks {
            cloud,
            call,
            notices: Notices::about(&call.id, &call.caller, &cloud.config, &call.faults),
            foreign,
            clock: cloud.clock.shifted(stamps_off(call)),
        }
    }

    /// A caller rings. Returns when it was taken, or given up.
    pub(crate) async fn connect(&self) {
        let call = self.call;
        if call.faults.has(InjectedFault::LateConnect) {
            let late = call.began + self.cloud.config.timers.late_connect;
            tokio::time::sleep_until(late.into()).await;
        }
        tokio::join!(self.foreign_connect(), self.own_connect());
    }

    /// The call is over. `opaque` is what the business gave to `accept`.
    pub(crate) async fn terminate(&self, ended: &Ended, opaque: Option<&str>) {
        tokio::join!(self.foreign_terminate(ended), self.own_terminate(ended, opaque));
    }

    async fn own_connect(&self) {
        let faults = &self.call.faults;
        let off = match faults {
            faults if faults.has(InjectedFault::StaleConnect) => -STALE_SECONDS,
            faults if faults.has(InjectedFault::FutureConnect) => AHEAD_SECONDS,
            _ => 0,
        };
        let stamp = self.clock.shifted(off).unix_seconds(self.call.began).to_string();
        let body = self.write(self.notices.connect(&self.call.offer, stamp));
        if faults.has(InjectedFault::BadSignatureOnce) {
            self.cloud.sender.forge(&body, Event::Connect, |what| self.call.observe(what)).await;
        }
        let taken = self.deliver(&body, Event::Connect).await;
        if taken && faults.has(InjectedFault::DuplicateConnect) {
            self.deliver(&body, Event::Connect).await;
        }
    }

    async fn own_terminate(&self, ended: &Ended, opaque: Option<&str>) {
        let faults = &self.call.faults;
        if faults.has(InjectedFault::MissingTerminate) {
            return;
        }
        self.call.observe(self.terminated(ended));
        let body = self.write(self.notices.terminate(ended, opaque, &self.clock));
        let taken = self.deliver(&body, Event::Terminate).await;
        if taken && faults.has(InjectedFault::DuplicateTerminate) {
            self.deliver(&body, Event::Terminate).await;
        }
    }

    async fn foreign_connect(&self) {
        if let Some(foreign) = &self.foreign {
            let stamp = self.clock.unix_seconds(self.call.began).to_string();
            self.deliver_foreign(&foreign.connect(&self.call.offer, stamp)).await;
        }
    }

    async fn foreign_terminate(&self, ended: &Ended) {
        if let Some(foreign) = &self.foreign {
            self.deliver_foreign(&foreign.terminate(ended, None, &self.clock)).await;
        }
    }

    async fn deliver_foreign(&self, notice: &Value) {
        self.deliver(&self.cloud.write(notice), Event::Foreign).await;
    }

    async fn deliver(&self, body: &str, event: Event) -> bool {
        self.cloud.sender.deliver(body, event, |what| self.call.observe(what)).await
    }

    fn write(&self, notice: Value) -> String {
        if self.call.faults.has(InjectedFault::Batched) {
            let stamp = self.clock.unix_seconds(Instant::now()).to_string();
            return self.cloud.write(&batch::around(notice, &stamp));
        }
        self.cloud.write(&notice)
    }

    fn terminated(&self, ended: &Ended) -> ObservationKind {
        let seconds = |at| self.clock.unix_seconds(at);
        let duration = ended.live_since.map(|since| Duration::from_secs(seconds(ended.at) - seconds(since)));
        ObservationKind::Terminated {
            status: notice::status(ended.ending),
            code: notice::code(ended.ending),
            duration,
        }
    }
}

/// A message of the business to this call's caller fails, some time after Graph took it.
pub(crate) async fn message_fails(
    cloud: Arc<Cloud>,
    call: Arc<SharedCall>,
    message: String,
    after: Duration,
) {
    tokio::time::sleep(after).await;
    let stamp = cloud.clock.unix_seconds(Instant::now()).to_string();
    let CallerConfig { number, user_id, .. } = &call.caller;
    let notice = Notices::message_failed(&message, number.as_deref(), user_id, &cloud.config, stamp);
    cloud.sender.deliver(&cloud.write(&notice), Event::Message, |what| call.observe(what)).await;
}

fn stamps_off(call: &SharedCall) -> i64 {
    if call.faults.has(InjectedFault::StampsBehind) {
        -STAMPS_OFF_SECONDS
    } else if call.faults.has(InjectedFault::StampsAhead) {
        STAMPS_OFF_SECONDS
    } else {
        0
    }
}
