//! What a request is told that failed.

use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sfa_core::library::{LibraryError, LibraryErrorKind};
use utoipa::ToSchema;

/// What handlers return.
pub(super) type ApiResult<T> = Result<T, ApiError>;

/// A failure as the client sees it, and what is only for the log.
///
/// As a response it travels to the outermost layer without a body, which writes one that names the request.
#[derive(Debug, Clone)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) retry_after_secs: Option<u64>,
    pub(super) log: Option<String>,
}

/// The body of every answer that is not a success.
#[derive(Serialize, ToSchema)]
pub(super) struct Failure {
    error: FailureDetails,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
struct FailureDetails {
    /// For programs; does not change.
    #[schema(example = "not_found")]
    code: &'static str,
    /// For people.
    message: String,
    /// Names the request in the server's log.
    request_id: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_secs: None, log: None }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
    }

    pub(super) fn unauthorized() -> Self {
        let message = "sign in, or send a token as \"Authorization: Bearer …\"";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(super) fn reauthentication_required() -> Self {
        let message =
            "prove that it is you: POST /api/v1/reauthenticate with your password, or sign in again";
        Self::new(StatusCode::FORBIDDEN, "reauthentication_required", message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// For what can be asked again after so many seconds.
    pub(super) fn after(self, retry_after_secs: u64) -> Self {
        Self { retry_after_secs: Some(retry_after_secs), ..self }
    }

    pub(super) fn too_large(most_bytes: u64) -> Self {
        let message = format!("this server takes files of up to {} MB", most_bytes >> 20);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub(super) fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "this request took too long to arrive")
    }

    pub(super) fn too_many(retry_after_secs: u64) -> Self {
        let message = format!("too many requests; try again in {retry_after_secs} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message).after(retry_after_secs)
    }

    pub(super) fn internal(log: impl Into<String>) -> Self {
        let message = "something went wrong here; the server's log says what";
        let error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message);
        Self { log: Some(log.into()), ..error }
    }

    /// The answer to the request of this name.
    pub(super) fn render(self, request_id: &str) -> Response {
        let Self { status, code, message, retry_after_secs, .. } = self;
        let details = FailureDetails { code, message, request_id: request_id.to_owned() };
        let mut response = (status, axum::Json(Failure { error: details })).into_response();
        if let Some(seconds) = retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<LibraryError> for ApiError {
    fn from(error: LibraryError) -> Self {
        let shown = |status, code| Self::new(status, code, error.to_string());
        match error.kind() {
            LibraryErrorKind::NotFound => shown(StatusCode::NOT_FOUND, "not_found"),
            LibraryErrorKind::Conflict => shown(StatusCode::CONFLICT, "conflict"),
            LibraryErrorKind::Invalid => shown(StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            LibraryErrorKind::Audio => shown(StatusCode::UNPROCESSABLE_ENTITY, "not_audio"),
            LibraryErrorKind::NoSpace => shown(StatusCode::INSUFFICIENT_STORAGE, "no_space"),
            LibraryErrorKind::Database => Self {
                status: StatusCode::SERVICE_UNAVAILABLE,
                code: "unavailable",
                message: "the database does not answer; try again".to_owned(),
                retry_after_secs: Some(1),
                log: Some(error.to_string()),
            },
            _ => Self::internal(error.to_string()),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        let code = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "too_large",
            _ => "cut_off",
        };
        Self::new(rejection.status(), code, rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    /// What is no id names nothing.
    fn from(_: PathRejection) -> Self {
        Self::not_found()
    }
}
