//! Lets time pass in a call, until it is over.

use super::shared_call::SharedCall;
use std::future::pending;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::sleep_until;

pub(crate) async fn drive(call: Arc<SharedCall>) {
    let mut changes = call.changes();
    loop {
        changes.mark_unchanged();
        let (due, is_over) = call.look(|call| (call.poll_timeout(), call.is_over()));
        if is_over {
            return;
        }
        let timeout = async {
            match due {
                Some(due) => sleep_until(due.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = timeout => call.step(|call| call.handle_timeout(Instant::now())),
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}
