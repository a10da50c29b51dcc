//! `POST /{version}/{number}/calls`: what the business does with a call.

use super::request::{self, Ask, Request};
use super::{GraphError, Scissors, permit};
use crate::cloud::Cloud;
use crate::line::Line;
use crate::relay::Order;
use crate::{Action, Mischief, Seen, sdp_check};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

pub(super) async fn post(
    State(cloud): State<Arc<Cloud>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path((version, number)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request =
        permit::check(&cloud.config, &version, &number, &headers).and_then(|()| request::parse(&body));
    // In a task of its own: what Meta has begun, it finishes, even when the client goes away.
    let reply = tokio::spawn(async move {
        match request {
            Ok(request) => reply(&cloud, request, &scissors).await,
            Err(error) => {
                cloud.delay().await;
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
        cloud.delay().await;
        return Err(GraphError::invalid("call_id is unknown"));
    };
    let effect = take_effect(cloud, &line, &request.ask);
    if effect.is_ok() {
        cloud.tell_hook(Action { call: line.id.clone(), name: request.ask.name() }).await;
    }
    cloud.delay().await;
    before_replying(cloud, &line, &request.ask, &effect, scissors);
    effect
}

fn take_effect(cloud: &Cloud, line: &Line, ask: &Ask) -> Result<(), GraphError> {
    if cloud.does_once(Mischief::Graph500Once) {
        return Err(GraphError::connection());
    }
    let now = Instant::now();
    match ask {
        Ask::PreAccept { sdp } => {
            let answer = check_sdp(cloud, line, sdp)?;
            line.live(|life| life.pre_accept(sdp))?;
            line.show_answer(answer);
        }
        Ask::Accept { sdp, opaque } => {
            let answer = check_sdp(cloud, line, sdp)?;
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

fn check_sdp(cloud: &Cloud, line: &Line, sdp: &str) -> Result<sdp_check::Answer, GraphError> {
    if cloud.does(Mischief::SdpRefused) {
        return Err(GraphError::sdp("Provided SDP is invalid"));
    }
    Ok(sdp_check::check(sdp, &line.offer)?)
}

/// The last moment before the reply leaves: now the sound is opened, and now it may be cut.
fn before_replying(
    cloud: &Cloud,
    line: &Line,
    ask: &Ask,
    effect: &Result<(), GraphError>,
    scissors: &Scissors,
) {
    let status = effect.as_ref().map_or_else(|error| error.status, |()| StatusCode::OK).as_u16();
    let code = effect.as_ref().err().map(|error| error.code);
    let has_accepted = effect.is_ok() && matches!(ask, Ask::Accept { .. });
    if has_accepted {
        line.order(Order::Open);
    }
    line.see(Seen::Action { name: ask.name(), status, code });
    if has_accepted && cloud.does_once(Mischief::CutAccept) {
        scissors.cut();
    }
    if effect.is_ok() && matches!(ask, Ask::PreAccept { .. }) && cloud.does(Mischief::CallerGivesUp) {
        line.live(|life| life.hang_up(Instant::now()));
    }
}
