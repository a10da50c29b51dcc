//! What clients ask for by REST: accept, reject, hangup and refer, and what each means in each phase.

use super::super::client_deaths::{ClientDeaths, Kill};
use super::super::rest_answer::RestAnswer;
use super::super::{Action, CarrierEventKind, Request, SipFault};
use super::{Alarm, Call, Phase};
use crate::refusal::Refusal;
use crate::schema;
use crate::session::Session;
use crate::session_registry::SessionRegistry;
use serde_json::Value;
use std::ops::Range;
use std::time::{Duration, Instant};

/// The model of an accept that names none: a guess.
const USUAL_MODEL: &str = "gpt-realtime";
/// The status of a reject without one.
const DECLINE: u16 = 603;
/// What a status of a reject may be.
const STATUSES: Range<u64> = 300..700;
/// Numbers of the turn detection that a session's update takes, and an accept does not.
const NOT_IN_ACCEPT: [&str; 3] = ["threshold", "prefix_padding_ms", "silence_duration_ms"];

impl Call {
    /// A client asks for something. The body is null when there is none.
    pub(crate) fn handle_request(
        &mut self,
        action: Action,
        body: &Value,
        registry: &SessionRegistry,
        now: Instant,
    ) -> RestAnswer {
        let before = self.phase;
        let was_referred = self.has_alarm(Alarm::Transferred);
        let answer = if self.is_first(SipFault::Busy) {
            RestAnswer::busy()
        } else {
            match action {
                Action::Accept => self.accept(body, registry, now),
                Action::Reject => self.reject(body, now),
                Action::Hangup => self.hang_up_for_client(now),
                Action::Refer => self.refer(body, now),
            }
        };
        let took_effect = self.phase != before || self.has_alarm(Alarm::Transferred) != was_referred;
        self.report.requests.push(Request {
            at: now,
            action,
            body: body.clone(),
            status: answer.status,
            code: answer.body["error"]["code"].as_str().map(str::to_owned),
            took_effect,
            was_answered: true,
        });
        self.pump(now);
        answer
    }

    /// Returns how the client dies now, if one is to die after such a request and the last one took effect: then its answer is lost.
    pub(crate) fn client_death(&mut self, deaths: &ClientDeaths) -> Option<Kill> {
        let request = self.report.requests.last_mut().filter(|request| request.took_effect)?;
        let kill = deaths.take(request.action)?;
        request.was_answered = false;
        Some(kill)
    }

    fn accept(&mut self, session: &Value, registry: &SessionRegistry, now: Instant) -> RestAnswer {
        match self.phase {
            Phase::Ringing => {}
            Phase::Deserted if self.fault == Some(SipFault::DeadSession) => {}
            Phase::Deserted => return RestAnswer::gone(404).late(self.config.sip.accept_of_a_gone_caller),
            Phase::Talking | Phase::HangingUp | Phase::Rejected => return RestAnswer::decided(),
            Phase::Over => return RestAnswer::gone(404),
        }
        if self.is_first(SipFault::AcceptFails) {
            return RestAnswer::failed();
        }
        let model = session["model"].as_str().unwrap_or(USUAL_MODEL).to_owned();
        if let Err(refusal) = self.check_accept(session, &model) {
            return RestAnswer::refused(400, &refusal);
        }
        if self.fault == Some(SipFault::NoSession) {
            self.carrier_sees(CarrierEventKind::BadRequest, now);
            self.phase = Phase::Over;
            return RestAnswer::done();
        }
        self.answer(session, model, registry, now);
        if self.is_first(SipFault::AcceptLost) { RestAnswer::failed() } else { RestAnswer::done() }
    }

    fn check_accept(&self, session: &Value, model: &str) -> Result<(), Refusal> {
        schema::check_accept(session)?;
        if let Some(parameter) = not_in_accept(session) {
            let message = format!("Unknown parameter: '{parameter}'.");
            return Err(Refusal::new("unknown_parameter", message).about(&parameter));
        }
        if self.config.model.as_deref().is_some_and(|only| only != model) {
            return Err(Refusal::model(model));
        }
        self.config.forbids.iter().try_for_each(|forbidden| forbidden.check(session))?;
        Session::check_call(session, model)
    }

    /// The carrier gets its `200 OK`, and the session begins.
    fn answer(&mut self, session: &Value, model: String, registry: &SessionRegistry, now: Instant) {
        let shared = registry.begin(self.number, model, |config, who| {
            Session::of_call(config, &who, session, now).expect("the configuration was checked")
        });
        self.report.session = Some(shared.lock().index());
        self.session = Some(shared);
        if self.phase == Phase::Ringing {
            self.carrier_sees(CarrierEventKind::Answered, now);
            self.caller_is_answered(now);
        }
        self.phase = Phase::Talking;
        self.opens = now + self.sideband_delay();
    }

    fn reject(&mut self, body: &Value, now: Instant) -> RestAnswer {
        let status = match self.phase {
            Phase::Ringing => status_of(body),
            Phase::Talking | Phase::HangingUp | Phase::Rejected => return RestAnswer::decided(),
            Phase::Deserted | Phase::Over => return RestAnswer::gone(404),
        };
        match status {
            Ok(status) => {
                self.carrier_sees(CarrierEventKind::Rejected(status), now);
                self.phase = Phase::Rejected;
                self.alarms.clear();
                RestAnswer::done()
            }
            Err(refusal) => RestAnswer::refused(400, &refusal),
        }
    }

    fn hang_up_for_client(&mut self, now: Instant) -> RestAnswer {
        if self.phase != Phase::Talking {
            return self.gone();
        }
        if self.is_first(SipFault::HangupFails) {
            return RestAnswer::failed();
        }
        self.phase = Phase::HangingUp;
        let takes = self.within(self.config.sip.hangup_takes.clone());
        self.alarms.push((now + takes, Alarm::HungUp));
        if self.is_first(SipFault::HangupLost) { RestAnswer::failed() } else { RestAnswer::done() }
    }

    fn refer(&mut self, body: &Value, now: Instant) -> RestAnswer {
        if self.phase != Phase::Talking {
            return self.gone();
        }
        match (target_of(body), self.fault) {
            (Err(refusal), _) => RestAnswer::refused(400, &refusal),
            (Ok(_), Some(SipFault::ReferFails)) => RestAnswer::failed(),
            (Ok(_), Some(SipFault::ReferIgnored)) => RestAnswer::done(),
            (Ok(target), _) => {
                self.carrier_sees(CarrierEventKind::Refer(target), now);
                self.alarms.push((now + self.config.sip.refer_takes, Alarm::Transferred));
                RestAnswer::done()
            }
        }
    }

    /// Says now with one status and now with the other that the call is over, as the real service does.
    fn gone(&mut self) -> RestAnswer {
        self.gone_answers += 1;
        RestAnswer::gone(if self.gone_answers.is_multiple_of(2) { 400 } else { 404 })
    }

    fn sideband_delay(&mut self) -> Duration {
        match self.fault {
            Some(SipFault::LateSideband) => super::faults::LATE_SIDEBAND,
            _ => self.within(self.config.sip.sideband_opens.clone()),
        }
    }

    fn within(&mut self, range: Range<Duration>) -> Duration {
        let (least, most) = (range.start.as_millis() as u64, range.end.as_millis() as u64);
        Duration::from_millis(if least < most { self.rng.u64(least..most) } else { least })
    }

    fn has_alarm(&self, wanted: Alarm) -> bool {
        self.alarms.iter().any(|(_, alarm)| *alarm == wanted)
    }
}

/// The first parameter that an accept does not take.
fn not_in_accept(session: &Value) -> Option<String> {
    let turns = &session["audio"]["input"]["turn_detection"];
    let number = NOT_IN_ACCEPT.iter().find(|number| !turns[**number].is_null())?;
    Some(format!("session.audio.input.turn_detection.{number}"))
}

fn status_of(body: &Value) -> Result<u16, Refusal> {
    if body.is_null() {
        return Ok(DECLINE);
    }
    schema::check_reject(body)?;
    match body["status_code"].as_u64() {
        None if body["status_code"].is_null() => Ok(DECLINE),
        Some(status) if STATUSES.contains(&status) => Ok(status as u16),
        _ => Err(Refusal::value("status_code", "Invalid 'status_code': it is not between 300 and 699.")),
    }
}

fn target_of(body: &Value) -> Result<String, Refusal> {
    schema::check_refer(body)?;
    let target = body["target_uri"].as_str().unwrap_or_default();
    let rest = ["tel:", "sip:", "sips:"].into_iter().find_map(|scheme| target.strip_prefix(scheme));
    match rest {
        Some(rest) if !rest.is_empty() => Ok(target.to_owned()),
        _ => Err(Refusal::value("target_uri", "Invalid 'target_uri': expected a tel: or sip: URI.")),
    }
}
