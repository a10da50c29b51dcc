//! Waits for state that sends no notification: the one loop for it, with how often it looks and when it gives up.

use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often to look where nothing else is said.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Returns what `look` finds, as soon as it finds something; `None` if it finds nothing within the time.
///
/// # Errors
/// When looking fails.
pub async fn eventually<T, F>(within: Duration, look: impl FnMut() -> F) -> anyhow::Result<Option<T>>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    eventually_every(LOOK_EVERY, within, look).await
}

/// The same, looking at this interval.
///
/// # Errors
/// When looking fails.
pub async fn eventually_every<T, F>(
    every: Duration,
    within: Duration,
    mut look: impl FnMut() -> F,
) -> anyhow::Result<Option<T>>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let looking = async {
        let mut next = interval(every);
        next.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            next.tick().await;
            if let Some(found) = look().await? {
                return Ok(found);
            }
        }
    };
    timeout(within, looking).await.ok().transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    const SOON: Duration = Duration::from_millis(30);

    #[tokio::test]
    async fn what_is_found_at_the_third_look_is_returned() {
        let mut looks = 0;

        let found = eventually(Duration::from_secs(5), || {
            looks += 1;
            ready(Ok((looks == 3).then_some("found")))
        });

        assert_eq!(found.await.unwrap(), Some("found"));
    }

    #[tokio::test]
    async fn what_never_comes_is_given_up_though_a_look_hangs() {
        assert_eq!(eventually(SOON, || ready(Ok(None::<()>))).await.unwrap(), None);
        assert_eq!(eventually(SOON, pending::<anyhow::Result<Option<()>>>).await.unwrap(), None);
        let failed = eventually(SOON, || async { anyhow::bail!("no table") as anyhow::Result<Option<()>> });
        assert!(failed.await.is_err());
    }
}
