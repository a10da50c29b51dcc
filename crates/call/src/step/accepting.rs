//! Has the line's service accept a call, when its task asks for it.

use super::ending::{end, timeout_ending};
use super::task::take_answer;
use crate::{AnswerAttempt, Call, Effect, Fence, Phase, Timestamp};

/// Requests the accept. Media connects only after Meta has the answer, so this also settles a pending pre-accept. The task repeats its
/// request until the line is open, and each time the line's service is asked again, unless another process is doing so, or it is too late.
pub(super) fn accept(call: &mut Call, fence: Fence, question: Option<u64>, now: Timestamp) -> Vec<Effect> {
    if !call.is_held_by(fence) {
        return vec![];
    }
    if call.is_offered() && !call.line.needs_answer() {
        // The task may ask before the process that offered the call has saved its answer, which this is.
        take_answer(call, fence, String::new(), now);
    }
    match call.phase {
        Phase::Connecting | Phase::Accepting if !call.line.needs_answer() && call.is_past_deadline(now) => {
            end(call, timeout_ending(call), now)
        }
        Phase::Connecting => {
            call.pre_accepted = call.line.needs_answer();
            call.phase = Phase::Accepting;
            for_task(call, question, |call| call.request(vec![Effect::Accept], now))
        }
        Phase::Accepting if call.is_being_answered(now) => vec![],
        Phase::Accepting => for_task(call, question, |call| call.request_again(now)),
        Phase::Ringing | Phase::Live | Phase::Ended(_) => vec![],
    }
}

fn for_task(
    call: &mut Call,
    question: Option<u64>,
    request: impl FnOnce(&mut Call) -> Vec<Effect>,
) -> Vec<Effect> {
    let effects = request(call);
    call.telling = call.telling.map(|telling| AnswerAttempt { for_task: true, question, ..telling });
    effects
}

/// Ends the attempt of the process that had this request: Lambda has reported its failure to the task, so it does nothing more at Meta.
pub(super) fn end_attempt(call: &mut Call, fence: Fence, question: Option<u64>) -> Vec<Effect> {
    if call.is_held_by(fence) {
        call.telling = call.telling.filter(|telling| !telling.for_task || telling.question != question);
    }
    vec![]
}
