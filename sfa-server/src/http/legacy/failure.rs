//! Failures as older clients expect them.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::http::error::ApiError;

/// `{error}` with a sentence where the caller did something wrong, `{error, message}` with the name of the failure where
/// it was stopped by a rule.
pub(in crate::http) fn render(error: ApiError) -> Response {
    let ApiError { status, message, retry_after_secs, .. } = error;
    let is_rule = status.is_server_error()
        || matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS);
    let body = match status.canonical_reason().filter(|_| is_rule) {
        Some(name) => json!({"error": name, "message": message}),
        None => json!({"error": message}),
    };
    let mut response = (status, Json(body)).into_response();
    if let Some(seconds) = retry_after_secs {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// What is asked for needs a part that this server does not have.
pub(super) fn missing(part: &str, instead: &str) -> ApiError {
    let message = format!("{part} is not part of this server; {instead}");
    ApiError::new(StatusCode::NOT_IMPLEMENTED, "not_implemented", message)
}

pub(super) fn bad_request(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid", message)
}

pub(super) fn not_found(what: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("{what} not found"))
}
