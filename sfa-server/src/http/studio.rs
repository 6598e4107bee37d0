//! The web studio: files that were built before this program and are part of it.
//!
//! Whatever is no address of the API is one of the studio, which finds out itself what to show there.

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::ApiError;

/// Where the studio begins, whatever the address says.
const PAGE: &str = "index.html";
/// Files whose names change with their content.
const ASSETS: &str = "assets/";
/// Addresses that are never the studio's; a mistyped one is an error and not a page.
const NOT_THE_STUDIO: [&str; 4] = ["api/", "files/", "health/", "ready/"];

/// Only what this server sent itself is run or shown. Songs and pictures may also be made in the page, and WebAssembly,
/// which can do no more than the script that runs it, be compiled there.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; font-src 'self'; \
    img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

const NOT_BUILT: &str = "The web studio is not part of this program, because it was not built before it.\n\n\
    From the sources, with Node 20.19 or newer:\n  cargo xtask web\n  cargo build --release --package sfa-server\n\n\
    The API is here all the same: /api/v1/reference describes it.\n";

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Built;

/// Answers what no route does.
pub(super) async fn studio(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return ApiError::not_found().into_response();
    }
    answer(uri.path().trim_start_matches('/'), &headers, Built::get)
}

fn answer(path: &str, headers: &HeaderMap, built: impl Fn(&str) -> Option<EmbeddedFile>) -> Response {
    let is_elsewhere = NOT_THE_STUDIO.iter().any(|prefix| format!("{path}/").starts_with(prefix));
    if is_elsewhere {
        return ApiError::not_found().into_response();
    }
    let found = (!path.is_empty()).then(|| built(path)).flatten();
    match found {
        Some(file) => serve(path, &file, headers),
        // A page of an older studio asks for what is no more.
        None if path.starts_with(ASSETS) => ApiError::not_found().into_response(),
        None => match built(PAGE) {
            Some(page) => serve(PAGE, &page, headers),
            None => (StatusCode::NOT_FOUND, NOT_BUILT).into_response(),
        },
    }
}

fn serve(name: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash: String = file.metadata.sha256_hash().iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{hash}\"");
    let caching = if name.starts_with(ASSETS) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let about = [
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, caching),
        (header::CONTENT_TYPE, media_type(name)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    let is_known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    if is_known {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, file.data.clone().into_owned()).into_response()
}

/// The types of what the studio is built of.
fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use rust_embed::Metadata;

    use super::*;

    fn built(name: &str) -> Option<EmbeddedFile> {
        let data = match name {
            PAGE => "<!doctype html>",
            "assets/index-1a2b.js" => "start()",
            _ => return None,
        };
        let metadata = Metadata::__rust_embed_new([7; 32], None, None);
        Some(EmbeddedFile { data: Cow::Borrowed(data.as_bytes()), metadata })
    }

    fn text(response: &Response, name: header::HeaderName) -> String {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn every_address_of_the_studio_begins_with_its_page() {
        for path in ["", "library", "tracks/0190", "no/such/room", "apiary", "../../etc/passwd"] {
            let response = answer(path, &HeaderMap::new(), built);
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(text(&response, header::CONTENT_TYPE), "text/html; charset=utf-8", "{path}");
            assert_eq!(text(&response, header::CACHE_CONTROL), "no-cache", "{path}");
            let policy = text(&response, header::CONTENT_SECURITY_POLICY);
            assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
            assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        }
    }

    #[test]
    fn assets_are_kept_for_good_and_missing_ones_are_no_page() {
        let response = answer("assets/index-1a2b.js", &HeaderMap::new(), built);
        assert_eq!(text(&response, header::CONTENT_TYPE), "text/javascript; charset=utf-8");
        assert!(text(&response, header::CACHE_CONTROL).ends_with("immutable"));
        for path in ["assets/index-0000.js", "api/v2/tracks", "api", "files", "health/x"] {
            let status = answer(path, &HeaderMap::new(), built).status();
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        let first = answer("", &HeaderMap::new(), built);
        let known = first.headers()[header::ETAG].clone();
        let again = HeaderMap::from_iter([(header::IF_NONE_MATCH, known)]);
        assert_eq!(answer("", &again, built).status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn without_a_studio_it_says_how_to_build_one() {
        let response = answer("", &HeaderMap::new(), |_| None);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(NOT_BUILT.contains("cargo xtask web"));
        assert_eq!(text(&response, header::CONTENT_TYPE), "text/plain; charset=utf-8");
    }
}
