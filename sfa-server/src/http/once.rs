//! Requests that carry an `Idempotency-Key` are done once, however often they come.
//!
//! The key belongs to the user, the method and the path. Only successes are kept, for a day: what failed changed nothing and may be
//! tried again. The work goes on when the client has gone, so that its next try finds the answer.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::json;
use sfa_core::library::{Begun, KeptAnswer, KeyedRequest, Scope};

use super::App;
use super::answer::HoldsSecret;
use super::auth::Caller;
use super::error::{ApiError, ApiResult};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST_KEY: usize = 255;
/// Answers to writes are small; what is larger is not kept.
const MOST_KEPT_BYTES: usize = 256 << 10;

/// The key of a request that changes something and comes from somebody, where it has one.
pub(super) fn key_of(request: &Request) -> ApiResult<Option<String>> {
    let Some(value) = request.headers().get(KEY) else { return Ok(None) };
    if request.method().is_safe() || request.extensions().get::<Caller>().is_none() {
        return Ok(None);
    }
    let is_clean = |key: &&str| {
        (1..=LONGEST_KEY).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    };
    match value.to_str().ok().map(str::trim).filter(is_clean) {
        Some(key) => Ok(Some(key.to_owned())),
        None => Err(ApiError::invalid("an Idempotency-Key has 1 to 255 letters, digits and signs of ASCII")),
    }
}

/// Answers as the first time; the first time, by doing it.
pub(super) async fn answer(app: App, key: String, request: Request, next: Next) -> ApiResult<Response> {
    let (parts, body) = request.into_parts();
    let Some(scope) = parts.extensions.get::<Caller>().map(Caller::scope) else {
        return Err(ApiError::unauthorized());
    };
    let route = format!("{} {}", parts.method, parts.uri.path());
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await?;
    let kind = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let keyed = KeyedRequest::new(route, key, &[parts.uri.to_string().as_bytes(), kind, &body]);
    let request = Request::from_parts(parts, Body::from(body));
    // Nobody works longer on a request that is alive.
    let patience = app.options.request_time * 2;
    match app.library.rows().begin_request(scope, &keyed, patience).await? {
        Begun::Now(number) => {
            let doing = tokio::spawn(first_time(app, scope, keyed, number, request, next));
            doing.await.map_err(|_| ApiError::internal("a handler panicked; please report it"))?
        }
        Begun::Already => {
            Err(ApiError::conflict("a request with this Idempotency-Key is being worked on").after(1))
        }
        Begun::Another => Err(ApiError::invalid("this Idempotency-Key belongs to another request")),
        Begun::Answered(kept) => again(kept),
    }
}

async fn first_time(
    app: App,
    scope: Scope,
    keyed: KeyedRequest,
    number: i64,
    request: Request,
    next: Next,
) -> ApiResult<Response> {
    let response = next.run(request).await;
    let rows = app.library.rows();
    if !response.status().is_success() {
        rows.forget_request(scope, &keyed, number).await?;
        return Ok(response);
    }
    let is_secret = response.extensions().get::<HoldsSecret>().is_some()
        || response.headers().contains_key(header::SET_COOKIE);
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await;
    let body = body.map_err(|error| ApiError::internal(format!("an answer broke off: {error}")))?;
    let headers: BTreeMap<&str, &str> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let kept = (!is_secret && body.len() <= MOST_KEPT_BYTES)
        .then(|| String::from_utf8(body.to_vec()).ok())
        .flatten();
    let answer = KeptAnswer {
        status: parts.status.as_u16(),
        headers: if kept.is_some() { json!(headers) } else { json!({}) },
        body: kept,
    };
    rows.answer_request(scope, &keyed, number, &answer).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn again(kept: KeptAnswer) -> ApiResult<Response> {
    let Some(body) = kept.body else {
        let message = "this was done before; its answer held a secret and was not kept";
        return Err(ApiError::new(StatusCode::CONFLICT, "done_before", message));
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(kept.status)
        .map_err(|error| ApiError::internal(format!("an answer that was kept is none: {error}")))?;
    for (name, value) in kept.headers.as_object().into_iter().flatten() {
        let (name, value) = (name.parse::<HeaderName>(), value.as_str().map(HeaderValue::from_str));
        if let (Ok(name), Some(Ok(value))) = (name, value) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
