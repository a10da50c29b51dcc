//! The `healthcheck` command probes: it asks the media task in this container whether it is alive. The image has no shell and no other
//! program that could.

use super::health::{ALIVE, address};
use anyhow::Context;
use service::env::Env;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

/// How long the task may take to reply.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Runs the health check.
///
/// # Errors
/// When no media task runs in this container, it does not reply within two seconds, or its last heartbeat is over a minute old.
pub async fn run(env: &Env) -> anyhow::Result<()> {
    let address = address(env)?;
    let probed = tokio::time::timeout(TIMEOUT, probe(&address)).await;
    probed.with_context(|| format!("the media task did not answer within {TIMEOUT:?}"))?
}

async fn probe(address: &str) -> anyhow::Result<()> {
    let mut task = UnixStream::connect(address).await.context("no media task answers health checks here")?;
    let mut answer = vec![];
    task.read_to_end(&mut answer).await.context("the media task closed the connection")?;
    anyhow::ensure!(answer == ALIVE, "the media task has tried no heartbeat for a minute");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::health::{self, Liveness};
    use std::time::Instant;
    use tokio::net::UnixListener;

    #[tokio::test]
    async fn a_task_with_a_recent_heartbeat_is_healthy() {
        let env = env("recent");
        tokio::spawn(health::answer(health::listen(&env).unwrap(), Liveness::new(Instant::now())));

        run(&env).await.expect("it is healthy");
    }

    #[tokio::test]
    async fn a_task_whose_last_heartbeat_is_old_is_unhealthy() {
        let env = env("old");
        let a_minute_ago = Instant::now().checked_sub(Duration::from_secs(60)).expect("the machine is up");
        tokio::spawn(health::answer(health::listen(&env).unwrap(), Liveness::new(a_minute_ago)));

        let unhealthy = run(&env).await.expect_err("it is unhealthy");

        assert_eq!(unhealthy.to_string(), "the media task has tried no heartbeat for a minute");
    }

    #[tokio::test]
    async fn a_task_that_does_not_answer_is_unhealthy() {
        let env = env("silent");
        let listener: UnixListener = health::listen(&env).unwrap();
        let unhealthy = run(&env).await.expect_err("it is unhealthy");
        assert_eq!(unhealthy.to_string(), "the media task did not answer within 2s");
        drop(listener);

        let unhealthy = run(&env).await.expect_err("nothing listens");
        assert_eq!(unhealthy.to_string(), "no media task answers health checks here");
    }

    fn env(name: &str) -> Env {
        let uri = format!("http://127.0.0.1/v4/{name}-{}", std::process::id());
        Env::of(&[("ECS_CONTAINER_METADATA_URI_V4", &uri)])
    }
}
