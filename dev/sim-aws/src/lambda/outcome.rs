//! The outcome of an invocation: a reply, or the error Lambda makes of it.

use crate::refusal::Refusal;
use bytes::Bytes;
use serde_json::json;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The function's reply, as it sent it.
    Reply(Bytes),
    /// The error object that a caller sees beside `X-Amz-Function-Error: Unhandled`.
    Failure(Bytes),
}

/// Nothing ran: the function may not have another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Rate Exceeded.")]
pub(super) struct Throttled;

impl From<Throttled> for Refusal {
    fn from(throttled: Throttled) -> Self {
        Self::new("TooManyRequestsException", throttled.to_string()).with_status(429)
    }
}

impl Outcome {
    pub(super) fn exited(id: &str, status: ExitStatus) -> Self {
        let how = match (status.code(), status.signal()) {
            (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
            (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
            (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
            (None, signal) => format!("Runtime exited with error: signal: {}", signal.unwrap_or_default()),
        };
        Self::failure("Runtime.ExitError", &format!("RequestId: {id} Error: {how}"))
    }

    /// The process was killed because it took too long.
    pub(super) fn timed_out(id: &str, limit: Duration) -> Self {
        let message =
            format!("RequestId: {id} Error: Task timed out after {:.2} seconds", limit.as_secs_f64());
        Self::failure("Sandbox.Timedout", &message)
    }

    pub(super) fn not_started(id: &str, error: &anyhow::Error) -> Self {
        Self::failure("Runtime.InvalidEntrypoint", &format!("RequestId: {id} Error: {error:#}"))
    }

    /// The reply was larger than Lambda carries.
    pub(super) fn too_large(size: usize, limit: usize) -> Self {
        let message = format!(
            "Response payload size ({size} bytes) exceeded maximum allowed payload size ({limit} bytes)."
        );
        Self::failure("Function.ResponseSizeTooLarge", &message)
    }

    fn failure(kind: &str, message: &str) -> Self {
        Self::Failure(json!({"errorType": kind, "errorMessage": message}).to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_says_how_the_process_ended() {
        let status = |raw| ExitStatus::from_raw(raw);

        for (status, expected) in [
            (status(0), "Runtime exited without providing a reason"),
            (status(3 << 8), "exit status 3"),
            (status(9), "signal: killed"),
            (status(11), "signal: 11"),
        ] {
            let Outcome::Failure(error) = Outcome::exited("r1", status) else {
                panic!("an exit is no reply")
            };
            let error = String::from_utf8_lossy(&error).into_owned();
            assert!(error.contains("Runtime.ExitError") && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_timeout_names_its_limit_to_the_hundredth() {
        let outcome = Outcome::timed_out("r1", Duration::from_millis(1_500));

        let Outcome::Failure(error) = outcome else { panic!("a timeout is no reply") };
        assert!(String::from_utf8_lossy(&error).contains("Task timed out after 1.50 seconds"));
    }
}
