//! The one address of every service: identifies the client and the service, counts the request, and routes it.

use crate::dynamodb::DynamoDb;
use crate::ecs::{self, Ecs};
use crate::environment::OUTSIDER;
use crate::eventbridge::EventBridge;
use crate::kill_points::KillPoints;
use crate::lambda::{self, Lambda};
use crate::refusal::Refusal;
use crate::requests::Requests;
use crate::rights::{AccessRequest, Rights, access_requests};
use crate::secrets::Secrets;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use sim_network::Connection;
use std::sync::Arc;

/// Everything that can be asked.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) dynamodb: DynamoDb,
    pub(crate) ecs: Arc<Ecs>,
    pub(crate) eventbridge: Arc<EventBridge>,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) secrets: Secrets,
    pub(crate) requests: Requests,
    pub(crate) rights: Rights,
    pub(crate) kill_points: Arc<KillPoints>,
}

/// Lambda is asked by path, the agent of a task too, all others by the `x-amz-target` header.
pub(crate) fn router(services: Arc<Services>) -> Router {
    Router::new()
        .route("/", post(answer_target))
        .route("/2015-03-31/functions/{function}/invocations", post(answer_invoke))
        .route("/2015-03-31/functions/{function}/configuration", get(answer_configuration))
        .route("/2016-08-19/account-settings", get(answer_account))
        .route("/2019-09-30/functions/{function}/concurrency", get(answer_concurrency))
        .route("/2021-10-31/functions/{function}/url", get(answer_url))
        .fallback(answer_unknown)
        .with_state(services.clone())
        .merge(ecs::router(services.ecs.clone()).layer(from_fn_with_state(services, ask_for_protection)))
}

/// The agent of a task asks ECS with the task's own rights.
async fn ask_for_protection(
    State(services): State<Arc<Services>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let container =
        path.strip_prefix("/api/").and_then(|path| path.strip_suffix("/task-protection/v1/state"));
    let id = container.map(|container| container.split('-').next().unwrap_or_default());
    let Some(task) = id.and_then(|id| services.ecs.tasks().into_iter().find(|task| task.id == id)) else {
        return next.run(request).await;
    };
    let action =
        if request.method() == Method::GET { "ecs:GetTaskProtection" } else { "ecs:UpdateTaskProtection" };
    match services.rights.exercise(&task.family, vec![AccessRequest::new(action, &task.arn)]) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            tracing::warn!(code = refusal.code, "Refused {action}: {}", refusal.message);
            let error = json!({"Arn": task.arn, "Code": refusal.code, "Message": refusal.message});
            (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response()
        }
    }
}

async fn answer_target(
    State(services): State<Arc<Services>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request<Body>,
) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let Some((service, action)) = target.and_then(|target| target.split_once('.')) else {
        return refuse(
            "a request without x-amz-target",
            Refusal::unknown_operation("a request without target"),
        );
    };
    let (service, action) = (our_name(service).to_owned(), action.to_owned());
    let (client, name) = (client(request.headers()).to_owned(), format!("{service}.{action}"));
    let answer = services.answer(&service, &action, &client, request, &connection);
    services.trapped(&client, &name, answer).await
}

async fn answer_invoke(
    State(services): State<Arc<Services>>,
    Path(function): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = async {
        services.requests.enter("lambda.Invoke")?;
        let right = access_requests::of_invocation(&function);
        // Its protocol has a status for that, unlike the others.
        services
            .rights
            .exercise(client(&headers), vec![right])
            .map_err(|refusal| refusal.with_status(403))?;
        lambda::invoke(&services.lambda, &function, &headers, body).await
    };
    services.trapped(client(&headers), "lambda.Invoke", answer).await
}

async fn answer_account(State(services): State<Arc<Services>>) -> Response {
    match services.requests.enter("lambda.GetAccountSettings") {
        Ok(()) => axum::Json(services.lambda.account_settings()).into_response(),
        Err(refusal) => refuse("lambda.GetAccountSettings", refusal),
    }
}

async fn answer_url(State(services): State<Arc<Services>>, Path(function): Path<String>) -> Response {
    let config = services.requests.enter("lambda.GetFunctionUrlConfig");
    match config.and_then(|()| services.lambda.url_config(&function)) {
        Ok(config) => axum::Json(config).into_response(),
        Err(refusal) => refuse("lambda.GetFunctionUrlConfig", refusal),
    }
}

async fn answer_concurrency(State(services): State<Arc<Services>>, Path(function): Path<String>) -> Response {
    let action = "lambda.GetFunctionConcurrency";
    match services.requests.enter(action).and_then(|()| services.lambda.function_concurrency(&function)) {
        Ok(concurrency) => axum::Json(concurrency).into_response(),
        Err(refusal) => refuse(action, refusal),
    }
}

async fn answer_configuration(
    State(services): State<Arc<Services>>,
    Path(function): Path<String>,
) -> Response {
    let action = "lambda.GetFunctionConfiguration";
    match services.requests.enter(action).and_then(|()| services.lambda.function_configuration(&function)) {
        Ok(configuration) => axum::Json(configuration).into_response(),
        Err(refusal) => refuse(action, refusal),
    }
}

async fn answer_unknown(uri: Uri) -> Response {
    refuse(uri.path(), Refusal::unknown_operation(uri.path()))
}

impl Services {
    async fn answer(
        &self,
        service: &str,
        action: &str,
        client: &str,
        request: Request<Body>,
        connection: &Connection,
    ) -> Result<Response, Refusal> {
        if !["dynamodb", "ecs", "secretsmanager"].contains(&service) {
            return Err(Refusal::unknown_operation(&format!("{service}.{action}")));
        }
        self.requests.enter(&format!("{service}.{action}"))?;
        let (head, body) = request.into_parts();
        let body = read(body).await?;
        self.rights.exercise(
            client,
            access_requests::of_request(&self.rights, &self.secrets, service, action, &body),
        )?;
        match service {
            "dynamodb" => {
                self.dynamodb
                    .answer(client, action, Request::from_parts(head, Body::from(body)), connection)
                    .await
            }
            "ecs" => Ok(json_1_1(&self.ecs.answer(action, &body)?)),
            _ => Ok(json_1_1(&self.secrets.answer(action, &body)?)),
        }
    }

    /// Answers, unless a kill point ends the client first: before the answer has an effect, or before it is sent.
    async fn trapped(
        &self,
        client: &str,
        action: &str,
        answer: impl Future<Output = Result<Response, Refusal>>,
    ) -> Response {
        let answer = async { answer.await.unwrap_or_else(|refusal| refuse(action, refusal)) };
        match self.kill_points.request(client, action) {
            None => answer.await,
            Some(kill) => kill.around(answer).await.unwrap_or_else(|| StatusCode::GONE.into_response()),
        }
    }
}

/// Returns our name of a service, by the name in its protocol.
fn our_name(target: &str) -> &str {
    match target {
        "DynamoDB_20120810" | "DynamoDBStreams_20120810" => "dynamodb",
        "AmazonEC2ContainerServiceV20141113" => "ecs",
        other => other,
    }
}

/// Returns the client: the access key id of a signature, `AWS4-HMAC-SHA256 Credential=webhook-1/20261122/…`.
fn client(headers: &HeaderMap) -> &str {
    let signature = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = signature.and_then(|signature| signature.split_once("Credential="));
    credential.and_then(|(_, rest)| rest.split('/').next()).unwrap_or(OUTSIDER)
}

async fn read(body: Body) -> Result<Bytes, Refusal> {
    let body = to_bytes(body, usize::MAX).await;
    body.map_err(|error| Refusal::new("SerializationException", error.to_string()))
}

fn json_1_1(body: &Value) -> Response {
    ([(CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string()).into_response()
}

/// A refusal is always worth a line: it explains a failed rehearsal.
fn refuse(what: &str, refusal: Refusal) -> Response {
    tracing::warn!(code = refusal.code, "Refused {what}: {}", refusal.message);
    refusal.into_response()
}
