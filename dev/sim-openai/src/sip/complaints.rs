//! Judges what clients asked for, once all calls should be over.

use super::call::Call;
use super::{Action, CallReport, CarrierEventKind, Exchange, SipFault};
use std::time::Instant;

pub(crate) fn of(exchange: &Exchange) -> Vec<String> {
    let calls = exchange.calls();
    let judged = calls.iter().enumerate().flat_map(|(number, call)| {
        let complaints = call.look(|call| judge(call.report(), Call::fault(call)));
        complaints.into_iter().map(move |complaint| format!("call {number}: {complaint}"))
    });
    let strays = exchange.strays();
    // Whether a key is right may be asked by hanging up a call that never was.
    let strays = strays.iter().filter(|(_, request)| request.action != Action::Hangup);
    let strays = strays.map(|(_, request)| format!("{} of a call that never was", request.action));
    judged.chain(strays).collect()
}

fn judge(report: &CallReport, fault: Option<SipFault>) -> Vec<String> {
    let mut complaints = vec![];
    let ending = report.ending();
    let is_decided = report.requests.iter().any(|request| request.took_effect && is_decision(request.action));
    let was_late = ending.is_some_and(|ending| ending.kind == CarrierEventKind::BadRequest);
    if !is_decided && was_late && fault != Some(SipFault::Stale) {
        complaints.push("it was not decided in time".to_owned());
    }
    if decisions_too_many(report) {
        complaints.push("it was decided again, though the first decision was answered".to_owned());
    }
    match ending {
        None if fault == Some(SipFault::LosesCall) => {}
        None if report.answered().is_some() => complaints.push("it was accepted, and never ended".to_owned()),
        None => complaints.push("it still rings".to_owned()),
        Some(ending) => {
            let is_known = ending.kind != CarrierEventKind::Cancelled && fault != Some(SipFault::Taken);
            complaints.extend(requests_after(report, ending.at, is_known));
        }
    }
    complaints
}

/// A decision that was answered is not tried again.
fn decisions_too_many(report: &CallReport) -> bool {
    let mut decisions = report.requests.iter().filter(|request| is_decision(request.action));
    decisions.any(|request| request.status == 200 && request.was_answered) && decisions.next().is_some()
}

/// After the end of a call one hangup may come: no client is notified that it is over, nor that a caller gave up before
/// anything was decided, or that another endpoint has decided.
fn requests_after(report: &CallReport, end: Instant, is_known: bool) -> Vec<String> {
    let after: Vec<_> = report.requests.iter().filter(|request| request.at > end).collect();
    let mut complaints = vec![];
    if after.iter().filter(|request| request.action == Action::Hangup).count() > 1 {
        complaints.push("it was hung up again after its end".to_owned());
    }
    let unforeseeable = |action| !is_known && is_decision(action);
    let others =
        after.iter().filter(|request| request.action != Action::Hangup && !unforeseeable(request.action));
    complaints.extend(others.map(|request| format!("{} after its end", request.action)));
    complaints
}

fn is_decision(action: Action) -> bool {
    matches!(action, Action::Accept | Action::Reject)
}

#[cfg(test)]
mod tests {
    use super::super::{CarrierEvent, HungUpBy, Request};
    use super::*;
    use serde_json::Value;
    use std::time::Duration;

    #[test]
    fn a_call_that_was_decided_once_and_ended_is_right() {
        let report = report(
            &[(1, Action::Accept, 200), (9, Action::Hangup, 404)],
            &[(1, CarrierEventKind::Answered), (8, CarrierEventKind::Bye(HungUpBy::Caller))],
        );

        assert_eq!(judge(&report, None), [] as [&str; 0]);
    }

    #[test]
    fn an_undecided_or_unended_call_is_a_complaint() {
        assert_eq!(judge(&report(&[], &[]), None), ["it still rings"]);
        assert_eq!(
            judge(&report(&[], &[(10, CarrierEventKind::BadRequest)]), None),
            ["it was not decided in time"]
        );
        let accepted = report(&[(1, Action::Accept, 200)], &[(1, CarrierEventKind::Answered)]);
        assert_eq!(judge(&accepted, None), ["it was accepted, and never ended"]);
    }

    #[test]
    fn a_second_decision_is_wrong_unless_the_first_one_got_no_answer() {
        let end = (8, CarrierEventKind::Bye(HungUpBy::Client));
        let twice = report(&[(1, Action::Accept, 200), (2, Action::Accept, 400)], std::slice::from_ref(&end));
        let again = report(&[(1, Action::Accept, 500), (2, Action::Accept, 400)], &[end]);

        assert_eq!(judge(&twice, None).len(), 1);
        assert_eq!(judge(&again, None), [] as [&str; 0]);
        let mut unanswered = twice;
        unanswered.requests[0].was_answered = false;
        assert_eq!(judge(&unanswered, None), [] as [&str; 0]);
    }

    #[test]
    fn after_the_end_only_one_hangup_is_right() {
        let end = (3, CarrierEventKind::Bye(HungUpBy::Caller));
        let report = report(
            &[
                (1, Action::Accept, 200),
                (4, Action::Hangup, 404),
                (5, Action::Hangup, 400),
                (6, Action::Refer, 404),
            ],
            &[end],
        );

        assert_eq!(judge(&report, None), ["it was hung up again after its end", "refer after its end"]);
    }

    fn report(requests: &[(u64, Action, u16)], carrier: &[(u64, CarrierEventKind)]) -> CallReport {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut report = CallReport::new("rtc_1".to_owned(), start);
        report
            .carrier
            .extend(carrier.iter().map(|(s, what)| CarrierEvent { at: at(*s), kind: what.clone() }));
        report.requests.extend(requests.iter().map(|(s, action, status)| Request {
            at: at(*s),
            action: *action,
            body: Value::Null,
            status: *status,
            code: None,
            took_effect: *status == 200,
            was_answered: true,
        }));
        report
    }
}
