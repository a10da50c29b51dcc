//! One function process: given one invocation at a time, killed when it takes too long.

use super::outcome::Outcome;
use super::runtime::{self, Delivery, RuntimeApi};
use crate::config::Function;
use crate::environment::Environment;
use crate::listening::{self, ANY_PORT};
use crate::process::Process;
use crate::processes::{Processes, Program};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

/// How long a process may take until it asks for an invocation (Lambda's limit of the init phase).
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// The memory of a function, in megabytes, as its environment gives it.
const MEMORY: u32 = 512;

/// A function process with a Runtime API of its own, so that its requests need no authentication.
#[derive(Debug)]
pub(super) struct Sandbox {
    process: Process,
    runtime_api: Arc<RuntimeApi>,
    deliveries: mpsc::Sender<Delivery>,
    timeout: Duration,
    /// Ends the Runtime API with the sandbox.
    _api: DropGuard,
}

#[derive(Debug, Clone)]
pub(super) struct Invocation {
    /// The request id, the same for every attempt at an event.
    pub(super) id: String,
    pub(super) payload: Bytes,
}

impl Invocation {
    pub(super) fn new(payload: Bytes) -> Self {
        Self { id: Uuid::new_v4().to_string(), payload }
    }
}

impl Sandbox {
    /// Starts a process of the function: a cold start.
    pub(super) async fn start(function: &Function, processes: &Processes) -> anyhow::Result<Self> {
        let listener = listening::bind(ANY_PORT).await?;
        let environment = environment(function, listening::address(&listener));
        let process = processes.start(program(function, &what(function)), &environment)?;
        let (runtime_api, deliveries) = RuntimeApi::new(function, &process, processes.kill_points());
        let api = CancellationToken::new();
        listening::serve(listener, runtime::router(runtime_api.clone()), api.clone());
        Ok(Self { process, runtime_api, deliveries, timeout: function.timeout, _api: api.drop_guard() })
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    pub(super) async fn run(&self, invocation: &Invocation) -> Outcome {
        let (taken, is_taken) = oneshot::channel();
        let (outcome, result) = oneshot::channel();
        let Invocation { id, payload } = invocation.clone();
        // Should the process be gone, its exit says so below.
        let _ = self.deliveries.try_send(Delivery { id: id.clone(), payload, taken, outcome });
        tokio::select! {
            // A process may reply and end at once: the reply comes first.
            biased;
            Ok(outcome) = result => outcome,
            status = self.process.exited() => match self.runtime_api.take_init_error() {
                Some(error) => Outcome::Failure(error),
                None => Outcome::exited(&id, status),
            },
            limit = self.overdue(is_taken) => {
                self.process.kill();
                self.process.exited().await;
                Outcome::timed_out(&id, limit)
            }
        }
    }

    /// Resolves to the limit that was overstepped.
    async fn overdue(&self, is_taken: oneshot::Receiver<()>) -> Duration {
        if timeout(INIT_LIMIT, is_taken).await.is_err() {
            return INIT_LIMIT;
        }
        sleep(self.timeout).await;
        self.timeout
    }
}

pub(super) fn what(function: &Function) -> String {
    format!("function {}", function.name)
}

pub(super) fn program<'a>(function: &'a Function, what: &'a str) -> Program<'a> {
    Program { what, name: &function.name, binary: &function.binary, args: &[] }
}

/// "Defined runtime environment variables" of the Lambda guide, as far as a runtime reads them.
fn environment(function: &Function, runtime_api: SocketAddr) -> Environment {
    let mut environment = function.env.clone();
    environment.extend(
        [
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", MEMORY.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", format!("[$LATEST]{}", Uuid::new_v4().simple())),
            ("_HANDLER", "bootstrap".to_owned()),
            ("TZ", ":UTC".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    environment
}
