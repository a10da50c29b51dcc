//! The steps of a telephone call that the trunk and OpenAI see.

use super::super::timeline::Timeline;
use sim_openai::sip::{Action, CallReport, CarrierSaw, HungUpBy, Request, SocketSaw};

pub(super) fn see(timeline: &mut Timeline, report: &CallReport) {
    for event in &report.carrier {
        timeline.see(event.at, "trunk ↔ OpenAI", carrier(&event.what));
    }
    for delivery in &report.deliveries {
        let again =
            if delivery.attempt > 1 { format!(", attempt {}", delivery.attempt) } else { String::new() };
        timeline.see(delivery.at, "OpenAI → webhook", format!("tells of the call{again}"));
        let status = delivery.status.map_or("not in time".to_owned(), |status| status.to_string());
        timeline.see(delivery.answered_at, "webhook → OpenAI", format!("takes the event in: {status}"));
    }
    for request in &report.requests {
        timeline.see(request.at, "call-control → OpenAI", asked(request));
    }
    for socket in &report.sockets {
        timeline.see(socket.at, "media-task ↔ OpenAI", sideband(&socket.what).to_owned());
    }
}

fn carrier(saw: &CarrierSaw) -> String {
    match saw {
        CarrierSaw::Trying => "the caller rings".into(),
        CarrierSaw::Answered => "200 OK: the caller is through".into(),
        CarrierSaw::Rejected(status) => format!("the call is rejected: {status}"),
        CarrierSaw::BadRequest => "400 Bad Request: the call was not decided in time".into(),
        CarrierSaw::Cancelled => "the caller gives up".into(),
        CarrierSaw::Refer(target) => format!("REFER to {target}"),
        CarrierSaw::Bye(by) => format!("BYE: {}", ended(*by)),
    }
}

fn ended(by: HungUpBy) -> &'static str {
    match by {
        HungUpBy::Caller => "the caller hung up",
        HungUpBy::Client => "the business hung up",
        HungUpBy::Service => "OpenAI ended the call",
        HungUpBy::Transfer => "the caller was transferred",
    }
}

fn asked(request: &Request) -> String {
    let what = match request.action {
        Action::Accept => "accepts the call",
        Action::Reject => "rejects the call",
        Action::Hangup => "hangs up",
        Action::Refer => "transfers the call",
    };
    let code = request.code.as_ref().map_or(String::new(), |code| format!(", {code}"));
    format!("{what}: {}{code}", request.status)
}

fn sideband(saw: &SocketSaw) -> &'static str {
    match saw {
        SocketSaw::Attached => "the sideband is attached",
        SocketSaw::NotFound => "there is no session to attach to yet",
        SocketSaw::Dropped => "the sideband breaks",
        SocketSaw::Closed => "the sideband is closed",
    }
}
