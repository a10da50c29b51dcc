//! `POST /{version}/{number}/calls`: what the business does with a call.

use super::request::{self, Ask, Request};
use super::{GraphError, Scissors, moods, permit};
use crate::cloud::Cloud;
use crate::relay::Order;
use crate::shared_call::SharedCall;
use crate::{Action, ActionName, InjectedFault, Seen, TriedAction, sdp_check};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) async fn post(
    State(cloud): State<Arc<Cloud>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path((version, number)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = cloud.access_token();
    let permitted = permit::check(&cloud.config, &token, &version, &number, &headers);
    let permitted = permitted.and_then(|()| permit::takes_calls(&cloud.books()));
    let request = permitted.and_then(|()| request::parse(&body));
    if let Ok(stray) = request::parse(&body)
        && (number != cloud.config.phone_number_id || cloud.line(&stray.call).is_none())
    {
        cloud.note_stray(&stray.call);
    }
    // In a task of its own: what Meta has begun, it finishes, even when the client goes away.
    let reply = tokio::spawn(async move {
        match request {
            Ok(request) => reply(&cloud, request, &scissors).await,
            Err(error) => {
                cloud.delay(None).await;
                Err(error)
            }
        }
    });
    match reply.await {
        Ok(Ok(())) => Json(json!({ "messaging_product": "whatsapp", "success": true })).into_response(),
        Ok(Err(error)) => error.into_response(),
        Err(_) => GraphError::connection().into_response(),
    }
}

async fn reply(cloud: &Cloud, request: Request, scissors: &Scissors) -> Result<(), GraphError> {
    let Some(line) = cloud.line(&request.call) else {
        cloud.delay(None).await;
        return Err(GraphError::invalid("call_id is unknown"));
    };
    let name = request.ask.name();
    if scissors.carries() && line.plot.does(InjectedFault::DeadConnections) {
        // A request over a connection that died unnoticed is lost.
        return std::future::pending().await;
    }
    let effect = take_effect(&line, &request.ask);
    note(&line, name, &effect);
    if effect.is_ok() {
        cloud.tell_hook(Action { call: line.id.clone(), name }).await;
    }
    let slow = if moods::is_slow(&line.plot, name) { cloud.config.timers.slow_graph } else { Duration::ZERO };
    cloud.delay_by(slow).await;
    before_replying(&line, name, &effect, scissors);
    effect
}

fn take_effect(line: &SharedCall, ask: &Ask) -> Result<(), GraphError> {
    if let Some(refusal) = moods::refusal(&line.plot) {
        return Err(refusal);
    }
    let now = Instant::now();
    match ask {
        Ask::PreAccept { sdp } => {
            let answer = check_sdp(line, sdp)?;
            line.live(|life| life.pre_accept(sdp))?;
            line.show_answer(answer);
        }
        Ask::Accept { sdp, opaque } => {
            if line.plot.does_once(InjectedFault::HangsUpAtAccept) {
                line.live(|life| life.hang_up(now));
            }
            let answer = check_sdp(line, sdp)?;
            let was_shown = line.with(|state| state.life.is_pre_accepted());
            line.live(|life| life.accept(sdp, now))?;
            line.with(|state| state.opaque.clone_from(opaque));
            if !was_shown {
                line.show_answer(answer);
            }
        }
        Ask::Reject => line.live(|life| life.reject(now))?,
        Ask::Terminate => line.live(|life| life.terminate(now))?,
    }
    Ok(())
}

fn check_sdp(line: &SharedCall, sdp: &str) -> Result<sdp_check::Answer, GraphError> {
    if line.plot.does(InjectedFault::SdpRefused) {
        return Err(GraphError::sdp("Provided SDP is invalid"));
    }
    Ok(sdp_check::check(sdp, &line.offered)?)
}

fn outcome(effect: &Result<(), GraphError>) -> (u16, Option<u32>) {
    match effect {
        Ok(()) => (StatusCode::OK.as_u16(), None),
        Err(error) => (error.status.as_u16(), Some(error.code)),
    }
}

/// Puts it on file at once: the reply may never leave.
fn note(line: &SharedCall, name: ActionName, effect: &Result<(), GraphError>) {
    let (status, code) = outcome(effect);
    line.with(|state| state.actions.push(TriedAction { name, at: Instant::now(), status, code }));
}

/// The last moment before the reply leaves: now the sound is opened, and now it may be cut.
fn before_replying(
    line: &SharedCall,
    name: ActionName,
    effect: &Result<(), GraphError>,
    scissors: &Scissors,
) {
    let (status, code) = outcome(effect);
    if effect.is_ok() && name == ActionName::Accept {
        line.order(Order::Open);
    }
    line.see(Seen::Action { name, status, code });
    if effect.is_ok() && moods::cuts(&line.plot, name) {
        scissors.cut();
    }
    if effect.is_ok() && name == ActionName::PreAccept && line.plot.does(InjectedFault::CallerGivesUp) {
        line.live(|life| life.hang_up(Instant::now()));
    }
    if effect.is_ok() && name == ActionName::PreAccept && line.plot.does(InjectedFault::ConnectTimesOut) {
        line.live(|life| life.time_out(Instant::now()));
    }
}
