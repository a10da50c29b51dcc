//! One call, shared by the relay's loop, Graph and the holder of the [`crate::Call`].

use crate::call_faults::CallFaults;
use crate::journal::Journal;
use crate::offered::Offered;
use crate::relay::{Early, Inspector, Lateness, Order, PacketCounter};
use crate::sdp_check::Answer;
use crate::signalling::Signalling;
use crate::{CallRecord, CallReport, CallerConfig, MetaConfig, ObservationKind, PressedKey, TriedAction};
use sim_network::NetworkRelay;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, watch};

pub(crate) struct SharedCall {
    pub(crate) id: String,
    /// The offer, as it goes over the wire.
    pub(crate) offer: String,
    pub(crate) offered: Offered,
    pub(crate) caller: CallerConfig,
    /// The network between the phone and the business, if there is any.
    pub(crate) network: Option<NetworkRelay>,
    pub(crate) began: Instant,
    pub(crate) faults: CallFaults,
    state: Mutex<State>,
    orders: mpsc::UnboundedSender<Order>,
    seen: watch::Sender<u64>,
    journal: Arc<Journal>,
}

/// What is known of it so far.
pub(crate) struct State {
    pub(crate) signalling: Signalling,
    pub(crate) report: CallReport,
    pub(crate) inspector: Inspector,
    pub(crate) early: Early,
    pub(crate) reports: u64,
    pub(crate) sent: u64,
    pub(crate) own_lateness: Lateness,
    /// Of a phone that replays.
    pub(crate) counter: PacketCounter,
    pub(crate) recording: Vec<i16>,
    pub(crate) said: Vec<(Instant, String)>,
    /// All that the business tried, refusals included.
    pub(crate) actions: Vec<TriedAction>,
    /// The business's `biz_opaque_callback_data`.
    pub(crate) opaque: Option<String>,
}

impl SharedCall {
    pub(crate) fn ringing(
        id: String,
        offer: String,
        offered: Offered,
        caller: CallerConfig,
        config: &MetaConfig,
        orders: mpsc::UnboundedSender<Order>,
        journal: Arc<Journal>,
    ) -> SharedCall {
        let began = Instant::now();
        let faults = CallFaults::of(config.fault.into_iter().chain(caller.faults.iter().copied()));
        let state = State {
            signalling: Signalling::ringing(config, began),
            report: CallReport::default(),
            inspector: Inspector::default(),
            early: Early::default(),
            reports: 0,
            sent: 0,
            own_lateness: Lateness::default(),
            counter: PacketCounter::default(),
            recording: Vec::new(),
            said: Vec::new(),
            actions: Vec::new(),
            opaque: None,
        };
        let seen = watch::Sender::new(0);
        SharedCall {
            id,
            offer,
            offered,
            caller,
            network: None,
            began,
            faults,
            state: Mutex::new(state),
            orders,
            seen,
            journal,
        }
    }

    /// The same call, with a network between the phone and the business.
    pub(crate) fn through(self, network: Option<NetworkRelay>) -> SharedCall {
        SharedCall { network, ..self }
    }

    /// Looks at what is known, or adds to it.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Steps the call's signalling. If that ends the call, the relay learns it.
    pub(crate) fn step<R>(&self, step: impl FnOnce(&mut Signalling) -> R) -> R {
        let (result, ended) = self.with(|state| {
            let was_over = state.signalling.ended().is_some();
            let result = step(&mut state.signalling);
            (result, state.signalling.ended().filter(|_| !was_over))
        });
        if let Some(ended) = ended {
            self.observe_at(ended.at, ObservationKind::Ended(ended.ending));
            self.order(Order::Close);
        }
        result
    }

    pub(crate) fn observe(&self, kind: ObservationKind) {
        self.observe_at(Instant::now(), kind);
    }

    /// Records what happened then, and wakes those who wait for it.
    pub(crate) fn observe_at(&self, at: Instant, kind: ObservationKind) {
        let is_news = self.with(|state| state.report.note(at, &kind));
        if is_news {
            self.journal.publish(&self.id, at, kind);
            self.seen.send_modify(|count| *count += 1);
        }
    }

    /// A key went down. The journal omits it: what a caller types is his own.
    pub(crate) fn note_key(&self, key: char, at: Instant) {
        self.with(|state| state.report.keys.push(PressedKey { key, at }));
        self.seen.send_modify(|count| *count += 1);
    }

    /// Wakes at every thing seen from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.seen.subscribe()
    }

    pub(crate) fn show_answer(&self, answer: Answer) {
        self.with(|state| state.inspector.expect(answer.ssrc));
        self.order(Order::Answer(answer));
    }

    /// Tells the relay's loop to do something. After the call's end nothing listens.
    pub(crate) fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// What Meta has on file by now.
    pub(crate) fn record(&self) -> CallRecord {
        self.with(|state| CallRecord {
            id: self.id.clone(),
            number: self.caller.number.clone(),
            user_id: self.caller.user_id.clone(),
            faults: self.faults.injected().to_vec(),
            rang: self.began,
            connect_answered: state.report.webhook_answered,
            actions: state.actions.clone(),
            ended: state.signalling.ended().map(|ended| ended.at),
            ending: state.signalling.ended().map(|ended| ended.ending),
            terminate_sent: state.report.terminated.is_some(),
            messages: state.report.messages,
        })
    }

    pub(crate) fn report(&self) -> CallReport {
        self.with(|state| {
            let mut report = state.report.clone();
            state.inspector.add_to(&mut report.traffic);
            report.traffic.early_packets = state.early.packets;
            report.traffic.early_reports = state.early.reports;
            report.traffic.reports = state.reports;
            report.traffic.sent = state.sent;
            report.traffic.own_lateness = state.own_lateness.percentiles();
            report
        })
    }
}
