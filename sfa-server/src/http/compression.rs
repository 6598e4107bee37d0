//! Which answers are made smaller on their way.

use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, Predicate as _, SizeAbove};

/// Shorter ones would not get shorter.
const LEAST_BYTES: u16 = 1024;
/// What is text, and is sent whole. Events are not: who waits for more of them to pack them waits with them.
const PACKED: [&str; 6] = [
    "application/json",
    "application/manifest+json",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
];

type IsPacked = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

pub(super) fn layer() -> CompressionLayer<And<SizeAbove, IsPacked>> {
    let is_packed: IsPacked = |_, _, headers, _| is_packed(headers);
    CompressionLayer::new()
        .gzip(true)
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(LEAST_BYTES).and(is_packed))
}

/// Files of songs are what their hash says, in parts too, and are left alone.
fn is_packed(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    PACKED.contains(&kind) && !headers.contains_key(header::ACCEPT_RANGES)
}
