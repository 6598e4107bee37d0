//! The document about the API, as a page for people.
//!
//! It is written once, on the server, and whole without a script; the one that it has only searches.

mod curl;
pub(super) mod html;
mod page;
mod schema;

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::http::answer::At;
use crate::http::error::ApiError;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// All of this as a page for people
#[utoipa::path(get, path = "/api/v1/reference", tag = "server", responses(
    (status = 200, description = "A page", body = String, content_type = "text/html")
))]
pub(in crate::http) async fn page() -> impl IntoResponse {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let document = serde_json::from_str(&super::openapi()).expect("the document is JSON");
        page::write(&document)
    });
    (html::ABOUT, PAGE.as_str())
}

/// What that page looks like, and how it searches
#[utoipa::path(get, path = "/api/v1/reference/{name}", tag = "server",
    params(("name" = String, Path, description = "page.css or page.js.", example = "page.css")),
    responses((status = 200, description = "A file of the page", body = String, content_type = "text/css"))
)]
pub(in crate::http) async fn file(At(name): At<String>) -> Response {
    let (kind, text) = match name.as_str() {
        "page.css" => ("text/css; charset=utf-8", STYLE),
        "page.js" => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return ApiError::not_found().into_response(),
    };
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
