//! A call whose media another program carries: Meta signals its offer, its answer and its end.

use crate::relay::Order;
use crate::shared_call::SharedCall;
use crate::{Call, WaitError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// A call that rang with an offer from elsewhere. Clones are handles on the same call.
#[derive(Clone)]
pub struct ExternalCall {
    shared: Arc<SharedCall>,
    call: Call,
    answer: watch::Receiver<Option<String>>,
}

impl ExternalCall {
    pub(crate) fn new(shared: Arc<SharedCall>, answer: watch::Receiver<Option<String>>) -> ExternalCall {
        ExternalCall { call: Call::new(shared.clone()), shared, answer }
    }

    /// The call as Meta knows it: its id, its state, how it ends. The phone is elsewhere.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Returns when the business showed its answer, and Meta took it: the SDP.
    pub async fn answer(&self, timeout: Duration) -> Result<String, WaitError> {
        let mut answer = self.answer.clone();
        let awaited = || "the answer".to_owned();
        let shown = answer.wait_for(Option::is_some);
        match tokio::time::timeout(timeout, shown).await {
            Ok(Ok(answer)) => Ok(answer.clone().expect("an answer was waited for")),
            // The receiver of answers is gone when the call is over.
            Ok(Err(_)) => {
                Err(WaitError::Ended { awaited: awaited(), ending: self.call.ended(timeout).await? })
            }
            Err(_) => Err(WaitError::TimedOut { awaited: awaited(), after: timeout }),
        }
    }

    /// The phone hears the business. Meta, whose relay would see the packets, ends calls that it does not know.
    pub fn media_came(&self) {
        self.shared.step(|signalling| signalling.handle_rtp(Instant::now()));
    }
}

/// Keeps a foreign call until it is over: takes the answer in, and lets it end when it waits too long.
pub(crate) struct ExternalCallTask {
    shared: Arc<SharedCall>,
    orders: mpsc::UnboundedReceiver<Order>,
    answer: watch::Sender<Option<String>>,
}

impl ExternalCallTask {
    /// The signalling of a foreign call, and the answer it will take in.
    pub(crate) fn new(
        shared: Arc<SharedCall>,
        orders: mpsc::UnboundedReceiver<Order>,
    ) -> (ExternalCallTask, watch::Receiver<Option<String>>) {
        let (answer, shown) = watch::channel(None);
        (ExternalCallTask { shared, orders, answer }, shown)
    }

    /// Lives until the call is over.
    pub(crate) async fn run(mut self) {
        loop {
            let deadline = self.shared.with(|state| state.signalling.poll_timeout());
            let order = tokio::select! {
                order = self.orders.recv() => order,
                () = at(deadline) => {
                    self.shared.step(|signalling| signalling.handle_timeout(Instant::now()));
                    continue;
                }
            };
            match order {
                Some(Order::Answer(answer)) => {
                    self.answer.send_replace(Some(answer.sdp));
                }
                Some(Order::Close) | None => return,
                // The phone is elsewhere.
                Some(
                    Order::Open
                    | Order::Say { .. }
                    | Order::Press { .. }
                    | Order::Play { .. }
                    | Order::Mute(_),
                ) => {}
            }
        }
    }
}

/// The call learns of its end before its deadline is removed.
async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
