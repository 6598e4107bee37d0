//! What happens to every request before and after it is handled: it gets a name and a place of origin, and its
//! answer gets a body where it failed, headers that keep browsers safe, and a line in the log.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use super::App;
use super::client::{self, ClientAddress, Peer};
use super::error::ApiError;
use super::{legacy, traces};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What a request is a part of, as its sender sees it.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// On every answer, unless it says otherwise itself. Answers are data: nothing in them is to be run, shown in a frame,
/// guessed at, or kept.
const HEADERS: [(HeaderName, &str); 9] = [
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(self), midi=(self)",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
];
const ENCRYPTED_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

pub(super) async fn front(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().simple().to_string();
    let started = Instant::now();
    let method = request.method().clone();
    // Without the query: it may hold a signature.
    let path = request.uri().path().to_owned();
    let peer = request.extensions().get::<Peer>().copied();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!(
        "request",
        request_id = id,
        user_id = tracing::field::Empty,
        traceparent = tracing::field::Empty
    );
    let parent = request.headers().get(TRACE_PARENT).and_then(|value| value.to_str().ok());
    if let Some(parent) = parent.filter(|text| traces::parent(text).is_some()) {
        span.record("traceparent", parent);
    }
    let response = match peer {
        Some(Peer(peer)) => {
            let address = client::address(peer, request.headers(), &app.options.trusted_proxies);
            request.extensions_mut().insert(ClientAddress(address));
            request.extensions_mut().insert(app.clone());
            let allowed = client::make_sure_of_site(&method, request.headers(), &app.options);
            match allowed {
                Ok(()) => {
                    let answering =
                        AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone());
                    answering.await.unwrap_or_else(|_| {
                        ApiError::internal("a handler panicked; please report it").into_response()
                    })
                }
                Err(error) => error.into_response(),
            }
        }
        None => ApiError::internal("a request without a connection").into_response(),
    };
    let mut response = finished(response, &id);
    protect(&app, &mut response, &id);
    let took = started.elapsed();
    let route = route.as_ref().map(MatchedPath::as_str);
    app.metrics.answered(&method, route, response.status(), took);
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let _inside = span.enter();
    tracing::info!(request_id = id, %method, path, route, status = response.status().as_u16(), duration_ms, "answered");
    response
}

/// Gives a failure its body, and the log what is not for the client.
fn finished(mut response: Response, request_id: &str) -> Response {
    let Some(error) = response.extensions_mut().remove::<ApiError>() else { return response };
    if let Some(log) = &error.log {
        tracing::error!(request_id, status = error.status.as_u16(), "{log}");
    }
    let is_legacy = response.extensions().get::<legacy::Spoken>().is_some();
    let mut rendered = if is_legacy { legacy::render(error) } else { error.render(request_id) };
    for (name, value) in response.headers() {
        if !rendered.headers().contains_key(name) && name != header::CONTENT_LENGTH {
            rendered.headers_mut().insert(name.clone(), value.clone());
        }
    }
    rendered
}

fn protect(app: &App, response: &mut Response, request_id: &str) {
    let is_switching = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from_str(request_id).expect("hexadecimal digits"));
    if is_switching {
        return;
    }
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if app.options.insists_on_encryption() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ENCRYPTED_ONLY);
    }
}
