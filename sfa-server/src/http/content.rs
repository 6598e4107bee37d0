//! Contents over HTTP: ranges, validators, names, and types that no browser runs.

use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use sfa_core::library::LibraryResult;

use super::App;
use super::error::{ApiError, ApiResult};

/// Bytes that are read and sent at a time; a slow client keeps so many in memory.
const CHUNK_BYTES: u64 = 128 << 10;
/// A content has its hash as its name and never changes. Caches that several people use must not keep it.
const CACHING: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// What a browser is to do with a content.
pub(super) enum Shown<'a> {
    /// Show it, where it is of a kind that is only shown, never run.
    InPlace(&'a str),
    /// Save it under this name; show it where that is empty.
    SavedAs(&'a str),
}

/// Answers with a content, or the part of it that was asked for.
pub(super) async fn answer(
    app: &App,
    hash: &str,
    shown: Shown<'_>,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let size = app.library.size_of(hash).await?;
    let etag = HeaderValue::try_from(format!("\"{hash}\"")).map_err(|_| ApiError::not_found())?;
    let mut response = Response::builder()
        .header(header::ETAG, &etag)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CACHE_CONTROL, CACHING)
        .header(header::VARY, "cookie, authorization");
    if names(headers, header::IF_NONE_MATCH, &etag) {
        return response.status(StatusCode::NOT_MODIFIED).body(Body::empty()).map_err(unsayable);
    }
    let (name, is_attachment) = match shown {
        Shown::InPlace(name) => (name, media_type(name).is_none()),
        Shown::SavedAs(name) => (name, !name.is_empty()),
    };
    response = response
        .header(header::CONTENT_TYPE, media_type(name).unwrap_or(UNKNOWN_TYPE))
        .header(header::CONTENT_DISPOSITION, disposition(name, is_attachment));
    // A range of another version is worth nothing: then all of it is sent.
    let is_wanted = !headers.contains_key(header::IF_RANGE) || names(headers, header::IF_RANGE, &etag);
    let range = match headers.get(header::RANGE).filter(|_| is_wanted) {
        None => 0..size,
        Some(range) => match range.to_str().ok().and_then(|range| one_range(range, size)) {
            Some(range) => {
                let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                response = response.status(StatusCode::PARTIAL_CONTENT).header(header::CONTENT_RANGE, text);
                range
            }
            None => return unsatisfiable(size),
        },
    };
    response = response.header(header::CONTENT_LENGTH, range.end - range.start);
    response.body(body(app.clone(), hash.to_owned(), range)).map_err(unsayable)
}

/// Reads as fast as the client takes.
fn body(app: App, hash: String, range: Range<u64>) -> Body {
    Body::from_stream(stream::try_unfold(range, move |rest| {
        let (app, hash) = (app.clone(), hash.clone());
        async move {
            let end = rest.end.min(rest.start.saturating_add(CHUNK_BYTES));
            if rest.start >= end {
                return LibraryResult::<Option<(Bytes, Range<u64>)>>::Ok(None);
            }
            let bytes = app.library.files().read(&hash, rest.start..end).await?;
            Ok(Some((bytes, end..rest.end)))
        }
    }))
}

/// The one range that is asked for, if it lies within the content.
fn one_range(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // Longer than any file is as good as the longest.
        is_plain.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let range = match (first.trim(), last.trim()) {
        ("", suffix) => size.saturating_sub(number(suffix)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => number(first)?..number(last)?.saturating_add(1).min(size),
    };
    (range.start < range.end).then_some(range)
}

fn unsatisfiable(size: u64) -> ApiResult<Response> {
    let mut response = axum::response::IntoResponse::into_response(ApiError::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "no_such_range",
        format!("one range within {size} bytes can be asked for"),
    ));
    let range = HeaderValue::try_from(format!("bytes */{size}")).expect("digits");
    response.headers_mut().insert(header::CONTENT_RANGE, range);
    Ok(response)
}

/// Whether a header names this validator, or any.
fn names(headers: &HeaderMap, header: header::HeaderName, etag: &HeaderValue) -> bool {
    let text = headers.get(header).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(',')
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == etag.as_bytes())
}

/// The type of a file that browsers only play, show or hand on. What they might run has none here, whatever is in it.
fn media_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "aac" => "audio/aac",
        "aif" | "aiff" => "audio/aiff",
        "flac" => "audio/flac",
        "json" => "application/json",
        "m4a" | "mp4" => "audio/mp4",
        "mid" => "audio/midi",
        "mp3" => "audio/mpeg",
        "ogg" | "opus" => "audio/ogg",
        "png" => "image/png",
        "wav" => "audio/wav",
        "webm" => "audio/webm",
        "csv" | "m3u" | "m3u8" | "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

/// The name twice: for old readers with what may go wrong replaced, and whole (RFC 6266).
pub(super) fn disposition(name: &str, is_attachment: bool) -> String {
    let kind = if is_attachment { "attachment" } else { "inline" };
    if name.is_empty() {
        return kind.to_owned();
    }
    let is_plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '.' | '-' | '_' | '(' | ')');
    let plain: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", percent_encoded(name))
}

/// Text as one part of a path.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn unsayable(error: axum::http::Error) -> ApiError {
    ApiError::internal(format!("an answer that cannot be sent: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_within_the_content_is_served() {
        for (text, expected) in [
            ("bytes=0-99", Some(0..100)),
            ("bytes=10-", Some(10..1000)),
            ("bytes=-10", Some(990..1000)),
            ("bytes=-5000", Some(0..1000)),
            ("bytes=999-99999999999999999999999", Some(999..1000)),
            ("bytes=1000-", None),
            ("bytes=5-4", None),
            ("bytes=-0", None),
            ("bytes=-", None),
            ("bytes=0-0,2-3", None),
            ("bytes=+1-2", None),
            ("bytes=99999999999999999999999-", None),
            ("items=0-1", None),
            ("", None),
        ] {
            assert_eq!(one_range(text, 1000), expected, "{text}");
        }
        assert_eq!(one_range("bytes=0-", 0), None);
    }

    #[test]
    fn a_name_cannot_leave_its_header() {
        let text = disposition("a\"; filename=\"b\r\nset-cookie: x=ä.mp3", true);
        assert!(!text.contains(['\r', '\n']) && HeaderValue::try_from(&text).is_ok());
        assert_eq!(text.matches('"').count(), 2);
        assert!(text.ends_with("%C3%A4.mp3"));
    }

    #[test]
    fn nothing_is_served_as_something_to_run() {
        for name in ["x.html", "x.svg", "x.xml", "x.js", "x", "html", "x.mp3.xhtml"] {
            assert_eq!(media_type(name), None, "{name}");
        }
        assert_eq!(media_type("X.MP3"), Some("audio/mpeg"));
    }
}
