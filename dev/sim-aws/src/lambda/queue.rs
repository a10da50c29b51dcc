//! The event queue of a function: asks until the function succeeds, has failed too often, or the event is too old.

use super::outcome::{Outcome, Throttled};
use super::sandbox::Invocation;
use super::sandbox_pool::SandboxPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The longest Lambda waits before it offers a throttled event again ("Asynchronous invocation", error handling).
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Delivers one event, and tells whether the function handled it.
pub(super) async fn deliver(pool: Arc<SandboxPool>, invocation: Invocation) -> bool {
    pool.count_events(|events| events.waiting += 1);
    let handled = attempt(&pool, &invocation).await;
    pool.count_events(|events| {
        events.waiting -= 1;
        *(if handled { &mut events.handled } else { &mut events.lost }) += 1;
    });
    handled
}

async fn attempt(pool: &Arc<SandboxPool>, invocation: &Invocation) -> bool {
    let name = pool.name();
    let deadline = Instant::now() + pool.function().max_event_age;
    let mut failures = pool.function().retry_after.iter();
    let mut throttled = pool.function().throttled_pause;
    loop {
        let pause = match pool.invoke(invocation.clone()).await {
            Ok(Outcome::Reply(_)) => return true,
            Ok(Outcome::Failure(_)) if pool.is_closing() => return false,
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
