//! `POST /{version}/{number}/calls`: what the business does with a call.

use super::error::GraphError;
use super::node_request::NodeRequest;
use super::request::{self, Ask, Request};
use super::{faults, permit};
use crate::cloud::Cloud;
use crate::relay::Order;
use crate::shared_call::SharedCall;
use crate::{Action, ActionName, InjectedFault, ObservationKind, TriedAction, sdp_check};
use axum::Json;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sim_network::Connection;
use std::time::{Duration, Instant};

pub(super) async fn post(
    asked: NodeRequest,
    ConnectInfo(connection): ConnectInfo<Connection>,
    body: Bytes,
) -> Response {
    let permitted = asked.permit().and_then(|()| permit::takes_calls(&asked.cloud.records()));
    let request = permitted.and_then(|()| request::parse(&body));
    let NodeRequest { cloud, node: number, .. } = asked;
    if let Ok(stray) = request::parse(&body)
        && (number != cloud.config.phone_number_id || cloud.call(&stray.call).is_none())
    {
        cloud.note_stray(&stray.call);
    }
    // In a task of its own: what Meta has begun, it finishes, even when the client goes away.
    let reply = tokio::spawn(async move {
        match request {
            Ok(request) => reply(&cloud, request, &connection).await,
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

async fn reply(cloud: &Cloud, request: Request, connection: &Connection) -> Result<(), GraphError> {
    let Some(call) = cloud.call(&request.call) else {
        cloud.delay(None).await;
        return Err(GraphError::invalid("call_id is unknown"));
    };
    let name = request.ask.name();
    if connection.mark_used() && call.faults.has(InjectedFault::DeadConnections) {
        // A request over a connection that died unnoticed is lost.
        return std::future::pending().await;
    }
    let effect = take_effect(&call, &request.ask);
    note(&call, name, &effect);
    if effect.is_ok() {
        cloud.notify_hook(Action { call: call.id.clone(), name }).await;
    }
    let slow =
        if faults::is_slow(&call.faults, name) { cloud.config.timers.slow_graph } else { Duration::ZERO };
    cloud.delay_by(slow).await;
    before_replying(&call, name, &effect, connection);
    effect
}

fn take_effect(call: &SharedCall, ask: &Ask) -> Result<(), GraphError> {
    if let Some(refusal) = faults::refusal(&call.faults) {
        return Err(refusal);
    }
    let now = Instant::now();
    match ask {
        Ask::PreAccept { sdp } => {
            let answer = check_sdp(call, sdp)?;
            call.step(|signalling| signalling.pre_accept(sdp))?;
            call.show_answer(answer);
        }
        Ask::Accept { sdp, opaque } => {
            if call.faults.fires_once(InjectedFault::HangsUpAtAccept) {
                call.step(|signalling| signalling.hang_up(now));
            }
            let answer = check_sdp(call, sdp)?;
            let was_shown = call.with(|state| state.signalling.is_pre_accepted());
            call.step(|signalling| signalling.accept(sdp, now))?;
            call.with(|state| state.opaque.clone_from(opaque));
            if !was_shown {
                call.show_answer(answer);
            }
        }
        Ask::Reject => call.step(|signalling| signalling.reject(now))?,
        Ask::Terminate => call.step(|signalling| signalling.terminate(now))?,
    }
    Ok(())
}

fn check_sdp(call: &SharedCall, sdp: &str) -> Result<sdp_check::Answer, GraphError> {
    if call.faults.has(InjectedFault::SdpRefused) {
        return Err(GraphError::sdp("Provided SDP is invalid"));
    }
    Ok(sdp_check::check(sdp, &call.offered)?)
}

fn outcome(effect: &Result<(), GraphError>) -> (u16, Option<u32>) {
    match effect {
        Ok(()) => (StatusCode::OK.as_u16(), None),
        Err(error) => (error.status.as_u16(), Some(error.code)),
    }
}

/// Puts it on file at once: the reply may never leave.
fn note(call: &SharedCall, name: ActionName, effect: &Result<(), GraphError>) {
    let (status, code) = outcome(effect);
    call.with(|state| state.actions.push(TriedAction { name, at: Instant::now(), status, code }));
}

/// The last moment before the reply leaves: now the sound is opened, and now it may be cut.
fn before_replying(
    call: &SharedCall,
    name: ActionName,
    effect: &Result<(), GraphError>,
    connection: &Connection,
) {
    let (status, code) = outcome(effect);
    if effect.is_ok() && name == ActionName::Accept {
        call.order(Order::Open);
    }
    call.observe(ObservationKind::Action { name, status, code });
    if effect.is_ok() && faults::cuts(&call.faults, name) {
        connection.cut();
    }
    if effect.is_ok() && name == ActionName::PreAccept && call.faults.has(InjectedFault::CallerGivesUp) {
        call.step(|signalling| signalling.hang_up(Instant::now()));
    }
    if effect.is_ok() && name == ActionName::PreAccept && call.faults.has(InjectedFault::ConnectTimesOut) {
        call.step(|signalling| signalling.time_out(Instant::now()));
    }
}
