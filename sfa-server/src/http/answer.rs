//! The shapes of questions and answers: `{data}`, pages, and extractors that refuse in our words.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::error::ApiError;

/// One thing.
#[derive(Serialize, ToSchema)]
pub(super) struct Data<T> {
    pub(super) data: T,
}

/// Some of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    /// Give it as `after` to get what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// All there is.
    pub(super) fn whole<U: Into<T>>(rows: Vec<U>) -> Self {
        Self { data: rows.into_iter().map(Into::into).collect(), next: None }
    }

    /// As much as was asked for; where there may be more, `name` says after which row.
    pub(super) fn of<U: Into<T>>(rows: Vec<U>, limit: i64, name: impl Fn(&U) -> String) -> Self {
        let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
        let next = rows.last().filter(|_| is_full).map(name);
        Self { next, ..Self::whole(rows) }
    }
}

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        axum::Json(self).into_response()
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        axum::Json(self).into_response()
    }
}

/// An answer that holds a secret, and so is never kept.
pub(super) struct Secretive<T>(pub(super) T);

/// Says of a response that it is one of these.
#[derive(Debug, Clone, Copy)]
pub(super) struct HoldsSecret;

impl<T: IntoResponse> IntoResponse for Secretive<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.extensions_mut().insert(HoldsSecret);
        response
    }
}

/// A body in JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        // Forms of other sites can send everything but this type.
        if !is_json(request.headers()) {
            let message = "send JSON, as \"content-type: application/json\"";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(ApiError::new(status, "unsupported_media_type", message));
        }
        let bytes = Bytes::from_request(request, state).await?;
        if bytes.windows(NUL_IN_JSON.len()).any(|window| window == NUL_IN_JSON) {
            return Err(has_nul());
        }
        let axum::Json(body) = axum::Json::from_bytes(&bytes)?;
        Ok(Self(body))
    }
}

/// What stands behind the question mark.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if parts.uri.query().is_some_and(|query| query.contains(NUL_IN_ADDRESS)) {
            return Err(has_nul());
        }
        let axum::extract::Query(query) = axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Self(query))
    }
}

/// What stands in the path.
pub(super) struct At<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if parts.uri.path().contains(NUL_IN_ADDRESS) {
            return Err(ApiError::not_found());
        }
        let axum::extract::Path(path) = axum::extract::Path::from_request_parts(parts, state).await?;
        Ok(Self(path))
    }
}

/// No text of ours contains it, and PostgreSQL takes none that does.
const NUL_IN_ADDRESS: &str = "%00";
const NUL_IN_JSON: &[u8] = b"\\u0000";

fn has_nul() -> ApiError {
    ApiError::invalid("text cannot contain the character NUL")
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
