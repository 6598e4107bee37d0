//! How routes are declared: each with the right that it needs and what it weighs. There is no other way to add one.

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use serde_json::json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, ContentBuilder, OpenApi, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use super::App;
use super::auth::{Caller, Credentials};
use super::client::ClientAddress;
use super::error::{ApiError, ApiResult};
use super::limits::{self, Allowance, Who};
use super::once;
use super::rights::Right;

/// How much a request of a route costs the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Next to nothing: probes.
    Nothing,
    /// A few rows.
    Light,
    /// The hash of a password, or minutes of work on audio.
    Heavy,
    /// A few rows, and a file in the request, which takes the time it takes.
    Upload,
    /// What a player asks for again and again, or what stays open: takes the time it takes, and is not counted.
    Stream,
}

/// Routes, and the document about them.
pub(super) struct Routes(OpenApiRouter<App>);

impl Routes {
    pub(super) fn about(document: OpenApi) -> Self {
        Self(OpenApiRouter::with_openapi(document))
    }

    /// Adds the handlers of one path that need the same right and weigh the same.
    pub(super) fn add(self, right: Right, weight: Weight, handlers: UtoipaMethodRouter<App>) -> Self {
        let (schemas, mut paths, methods) = handlers;
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations(item) {
                operation.operation_id = Some(operation_id(method, path));
                describe(operation, right, weight);
            }
        }
        let mut handlers = (schemas, paths, methods);
        if weight == Weight::Upload {
            // They count what comes themselves.
            handlers = handlers.layer(DefaultBodyLimit::disable());
        }
        let guarded = handlers.layer(middleware::from_fn_with_state((right, weight), guard));
        Self(self.0.routes(guarded))
    }

    pub(super) fn split(self) -> (axum::Router<App>, OpenApi) {
        self.0.split_for_parts()
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("options", &mut item.options),
        ("head", &mut item.head),
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// What generated clients call an operation: "get_tracks_id_stems".
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.filter(|word| !matches!(*word, "api" | "v1")).collect();
    format!("{method}_{}", words.join("_"))
}

/// Says in the document what holds for every route.
fn describe(operation: &mut Operation, right: Right, weight: Weight) {
    let failure: Content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Failure"))).build();
    let failed = ResponseBuilder::new().description("It failed").content("application/json", failure).build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(failed));
    if right == Right::Nothing {
        operation.security = Some(vec![SecurityRequirement::default()]);
    }
    // One, since several have no order.
    let needs =
        json!({"right": right.name(), "is_heavy": weight == Weight::Heavy, "is_guarded": right.is_guarded()});
    operation.extensions.get_or_insert_default().insert("x-sfa".to_owned(), needs);
}

/// Lets a request to its handler if it is not one too many and its sender has the right.
async fn guard(
    State((right, weight)): State<(Right, Weight)>,
    mut request: Request,
    next: Next,
) -> ApiResult<Response> {
    if weight == Weight::Nothing {
        return Ok(next.run(request).await);
    }
    let extensions = request.extensions();
    let (Some(app), Some(ClientAddress(address))) =
        (extensions.get::<App>().cloned(), extensions.get::<ClientAddress>().copied())
    else {
        return Err(ApiError::internal("a request that did not come through the front"));
    };
    let network = Who::at(address);
    let limits = &app.limits;
    let (who, limiter) = if right == Right::Nothing {
        (network, if weight == Weight::Heavy { &limits.heavy } else { &limits.browser })
    } else {
        let credentials = match Credentials::of(request.headers(), &app) {
            Ok(credentials) => credentials,
            Err(error) => {
                limits.browser.take(network).map_err(limits::refusal)?;
                return Err(error);
            }
        };
        // Who guesses secrets is stopped before the database is asked.
        limits.guesses.peek(&network).map_err(limits::refusal)?;
        let caller = match credentials.caller(&app, address).await {
            Ok(caller) => caller,
            Err(error) => {
                if error.status == StatusCode::UNAUTHORIZED {
                    limits.guesses.take(network).ok();
                }
                return Err(error);
            }
        };
        right.make_sure(&caller)?;
        right.make_sure_of_proof(&caller, app.options.proof_time)?;
        note_borrowed(&app, &caller, request.method(), request.uri().path()).await?;
        let who = Who::User(caller.user.id);
        tracing::Span::current().record("user_id", tracing::field::display(caller.user.id));
        request.extensions_mut().insert(caller);
        let limiter = match (weight, &credentials) {
            (Weight::Heavy, _) => &limits.heavy,
            (_, Credentials::Cookie(_)) => &limits.browser,
            (_, Credentials::Bearer(_)) => &limits.program,
        };
        (who, limiter)
    };
    if weight == Weight::Stream {
        return Ok(next.run(request).await);
    }
    let allowance = limiter.take(who).map_err(limits::refusal)?;
    let answering = answer(app.clone(), weight, request, next);
    let mut response = if weight == Weight::Upload {
        answering.await?
    } else {
        tokio::time::timeout(app.options.request_time, answering)
            .await
            .map_err(|_| ApiError::too_slow())??
    };
    say(allowance, &mut response);
    Ok(response)
}

/// Answers a request; one with a key once.
async fn answer(app: App, weight: Weight, request: Request, next: Next) -> ApiResult<Response> {
    match once::key_of(&request)? {
        // The same file is the same song, with a key or without.
        Some(key) if weight != Weight::Upload => once::answer(app, key, request, next).await,
        _ => Ok(next.run(request).await),
    }
}

/// Writes down what somebody changes who acts as another user.
async fn note_borrowed(app: &App, caller: &Caller, method: &Method, path: &str) -> ApiResult<()> {
    if caller.owner() == caller.user.id || method.is_safe() {
        return Ok(());
    }
    let changes = json!({"request": format!("{method} {path}")});
    let (actor, target) = (caller.actor(), caller.user.id.to_string());
    app.library.rows().record_act(&actor, "user.change_as", "user", &target, changes).await?;
    Ok(())
}

fn say(allowance: Allowance, response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(allowance.most));
    headers.insert(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(allowance.left));
}
