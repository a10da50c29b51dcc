//! The event queue of a function: asks until the function succeeds, has failed too often, or the event is too old.

use super::fleet::Fleet;
use super::outcome::{Outcome, Throttled};
use super::sandbox::Invocation;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The longest Lambda waits before it offers a throttled event again ("Asynchronous invocation", error handling).
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// How a function's events have fared. Each is at first waiting, then either handled or lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Events {
    /// Accepted, and neither handled nor lost yet.
    pub waiting: usize,
    /// The function succeeded.
    pub handled: usize,
    /// The function failed too often, or the event grew too old. There is no destination that would get it.
    pub lost: usize,
}

/// Delivers one event, and tells whether the function handled it.
pub(super) async fn deliver(fleet: Arc<Fleet>, invocation: Invocation) -> bool {
    fleet.count_events(|events| events.waiting += 1);
    let handled = attempt(&fleet, &invocation).await;
    fleet.count_events(|events| {
        events.waiting -= 1;
        *(if handled { &mut events.handled } else { &mut events.lost }) += 1;
    });
    handled
}

async fn attempt(fleet: &Arc<Fleet>, invocation: &Invocation) -> bool {
    let name = fleet.name();
    let deadline = Instant::now() + fleet.function().max_event_age;
    let mut failures = fleet.function().retry_after.iter();
    let mut throttled = fleet.function().throttled_pause;
    loop {
        let pause = match fleet.invoke(invocation.clone()).await {
            Ok(Outcome::Reply(_)) => return true,
            Ok(Outcome::Failure(_)) if fleet.is_closing() => return false,
            Ok(Outcome::Failure(error)) => {
                let error = String::from_utf8_lossy(&error);
                let Some(pause) = failures.next() else {
                    tracing::error!(function = name, %error, "An event is lost: {name} failed at every attempt");
                    return false;
                };
                tracing::warn!(function = name, %error, "An event failed in {name} and will be tried again");
                *pause
            }
            // That was no attempt: nothing ran.
            Err(Throttled) => {
                let pause = throttled;
                throttled = (2 * pause).min(LONGEST_PAUSE);
                pause
            }
        };
        if Instant::now() + pause > deadline {
            tracing::error!(function = name, "An event is lost: it will be too old for {name}");
            return false;
        }
        sleep(pause).await;
    }
}
