//! The sideband sockets of one call: each gets all events.

use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What a socket is to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ToSocket {
    Send(Arc<Value>),
    /// Close with a close frame.
    Close {
        code: u16,
        reason: String,
    },
    /// Break the connection, without one.
    Break,
}

/// The sockets that are attached.
#[derive(Debug, Default)]
pub(crate) struct Sockets(Vec<UnboundedSender<ToSocket>>);

impl Sockets {
    /// Attaches one more.
    pub(crate) fn attach(&mut self, first: Vec<Value>) -> UnboundedReceiver<ToSocket> {
        let (sender, receiver) = unbounded_channel();
        for event in first {
            // Its other end is right here.
            let _open = sender.send(ToSocket::Send(Arc::new(event)));
        }
        self.0.push(sender);
        receiver
    }

    /// Sends to all, and forgets those that have left.
    pub(crate) fn send(&mut self, order: &ToSocket) {
        self.0.retain(|socket| socket.send(order.clone()).is_ok());
    }

    /// Sends to all for the last time.
    pub(crate) fn end(&mut self, order: &ToSocket) {
        self.send(order);
        self.0.clear();
    }
}
