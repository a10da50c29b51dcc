//! The steps of a telephone call that the trunk and OpenAI see.

use super::super::timeline::Timeline;
use sim_openai::sip::{Action, CallReport, CarrierEventKind, HungUpBy, Request, SocketEventKind};

pub(super) fn add_to(timeline: &mut Timeline, report: &CallReport) {
    for event in &report.carrier {
        timeline.add_at(event.at, "trunk ↔ OpenAI", carrier(&event.kind));
    }
    for delivery in &report.deliveries {
        let again =
            if delivery.attempt > 1 { format!(", attempt {}", delivery.attempt) } else { String::new() };
        timeline.add_at(delivery.at, "OpenAI → webhook", format!("tells of the call{again}"));
        let status = delivery.status.map_or("not in time".to_owned(), |status| status.to_string());
        timeline.add_at(delivery.answered_at, "webhook → OpenAI", format!("takes the event in: {status}"));
    }
    for request in &report.requests {
        timeline.add_at(request.at, "call-control → OpenAI", asked(request));
    }
    for socket in &report.sockets {
        timeline.add_at(socket.at, "media-task ↔ OpenAI", sideband(&socket.kind).to_owned());
    }
}

fn carrier(event: &CarrierEventKind) -> String {
    match event {
        CarrierEventKind::Trying => "the caller rings".into(),
        CarrierEventKind::Answered => "200 OK: the caller is through".into(),
        CarrierEventKind::Rejected(status) => format!("the call is rejected: {status}"),
        CarrierEventKind::BadRequest => "400 Bad Request: the call was not decided in time".into(),
        CarrierEventKind::Cancelled => "the caller gives up".into(),
        CarrierEventKind::Refer(target) => format!("REFER to {target}"),
        CarrierEventKind::Bye(by) => format!("BYE: {}", ended(*by)),
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

fn sideband(event: &SocketEventKind) -> &'static str {
    match event {
        SocketEventKind::Attached => "the sideband is attached",
        SocketEventKind::NotFound => "there is no session to attach to yet",
        SocketEventKind::Dropped => "the sideband breaks",
        SocketEventKind::Closed => "the sideband is closed",
    }
}
