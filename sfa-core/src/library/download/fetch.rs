//! One file of the web, into a file: redirections are followed with every address judged anew, a broken line is gone on
//! with, and nothing that comes is believed to be as long, as quick or of the kind that somebody says.

use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use reqwest::header::{CONTENT_DISPOSITION, HeaderMap, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};

use super::guard::{Guard, invalid};
use crate::http::{self, reason};
use crate::part::{self, Answer, Part};
use crate::{Error, ErrorKind, Stage, Watch};

const MOST_REDIRECTIONS: usize = 5;
/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(30);
/// Who sends less than this on average, once it had the time of a silence, is holding a place.
const SLOWEST_BYTES_PER_SEC: f64 = 1024.0;
/// Between a broken line and going on.
const PAUSE: Duration = Duration::from_secs(1);
/// How pages begin, in lower case.
const PAGES: [&str; 4] = ["<!doctype html", "<html", "<head", "<?xml"];

/// What is fetched.
pub(super) struct Request<'a> {
    pub(super) guard: &'a Guard,
    pub(super) url: Url,
    pub(super) most_bytes: u64,
    pub(super) watch: &'a Watch,
}

/// Why nothing more came.
enum Stop {
    /// The line broke; going on may help.
    Broken(Error),
    /// Asking again at once will not help.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Fetches what `part` still lacks, and returns the name that the file has there.
///
/// # Errors
/// `InvalidOption` for what will not be otherwise another time; `Io` for what may; `Cancelled`.
pub(super) async fn fetch(request: &Request<'_>, part: &mut Part) -> Result<String, Error> {
    let client = http::client(&request.url, |builder| request.guard.set_up(builder))?;
    loop {
        let before = part.bytes();
        match attempt(&client, request, part).await {
            Ok(name) => return Ok(name),
            Err(Stop::Broken(_)) if part.bytes() > before => {
                http::wait(std::future::pending::<()>(), PAUSE, request.watch).await?;
            }
            Err(Stop::Broken(error) | Stop::Failed(error)) => return Err(error),
        }
    }
}

async fn attempt(client: &Client, request: &Request<'_>, part: &mut Part) -> Result<String, Stop> {
    let original = request.url.as_str();
    let response = loop {
        let response = ask(client, request, part).await?;
        match part.read(original, &response) {
            Answer::Nothing => return Ok(name_of(&response)),
            Answer::Another => part.restart(original, None)?,
            Answer::Refused(status) => return Err(refused(status).into()),
            Answer::Whole => {
                part.restart(original, part::version(response.headers()))?;
                break response;
            }
            Answer::Rest => break response,
        }
    };
    let name = name_of(&response);
    receive(response, request, part).await?;
    Ok(name)
}

/// Asks, and follows where the answer leads.
async fn ask(client: &Client, request: &Request<'_>, part: &Part) -> Result<Response, Stop> {
    let mut url = request.url.clone();
    for _ in 0..=MOST_REDIRECTIONS {
        request.guard.check(&url)?;
        let sent = part.ask(request.url.as_str(), client.get(url.clone())).send();
        let answer = http::wait(sent, SILENCE, request.watch).await?.ok_or_else(silent)?;
        let response = answer.map_err(|error| not_asked(&error))?;
        match target(&response)? {
            Some(next) => url = next,
            None => return Ok(response),
        }
    }
    Err(invalid(format!("it leads on more than {MOST_REDIRECTIONS} times")).into())
}

/// Where a redirection leads.
fn target(response: &Response) -> Result<Option<Url>, Error> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let target = response.headers().get(LOCATION).and_then(|target| target.to_str().ok());
    let next = target.and_then(|target| response.url().join(target).ok());
    next.map(Some).ok_or_else(|| invalid("it leads on to what is no address"))
}

async fn receive(mut response: Response, request: &Request<'_>, part: &mut Part) -> Result<(), Stop> {
    let Request { most_bytes, watch, .. } = *request;
    let (began, first) = (Instant::now(), part.bytes());
    let expected = response.content_length().map(|bytes| first.saturating_add(bytes));
    if expected.is_some_and(|bytes| bytes > most_bytes) {
        return Err(too_large(most_bytes).into());
    }
    loop {
        watch.report(Stage::Download, part.bytes(), expected.unwrap_or(most_bytes))?;
        match http::wait(response.chunk(), SILENCE, watch).await? {
            Some(Ok(Some(bytes))) => {
                if part.bytes() == 0 && is_page(&bytes) {
                    return Err(invalid(
                        "there is a page at this address, and no audio file; copy the address of the file itself",
                    )
                    .into());
                }
                if part.bytes() + bytes.len() as u64 > most_bytes {
                    return Err(too_large(most_bytes).into());
                }
                part.append(&bytes)?;
                let took = began.elapsed();
                let came = (part.bytes() - first) as f64;
                if took > SILENCE && came < took.as_secs_f64() * SLOWEST_BYTES_PER_SEC {
                    return Err(Error::new(ErrorKind::Io, "it comes too slowly").into());
                }
            }
            Some(Ok(None)) if expected.is_none_or(|bytes| bytes == part.bytes()) => return Ok(()),
            Some(Ok(None)) => return Err(broken("it ended early")),
            Some(Err(error)) => return Err(broken(&reason(&error))),
            None => return Err(silent()),
        }
    }
}

/// Whether a file begins as pages do. Others may call audio whatever they like.
fn is_page(bytes: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).to_lowercase();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    PAGES.iter().any(|page| start.starts_with(page))
}

/// What the file is called: by its server, or else by its address.
fn name_of(response: &Response) -> String {
    let of_path = || {
        let last = response.url().path_segments()?.rfind(|part| !part.is_empty())?;
        Some(percent_decode_str(last).decode_utf8_lossy().into_owned())
    };
    name_in(response.headers()).or_else(of_path).unwrap_or_else(|| "download".to_owned())
}

/// The name in a Content-Disposition; the one that can be of any letters before the other (RFC 6266).
fn name_in(headers: &HeaderMap) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(CONTENT_DISPOSITION)?.as_bytes()).into_owned();
    let parameter = |wanted: &str| {
        parameters(&text).find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let extended = parameter("filename*").and_then(|value| {
        let (charset, rest) = value.split_once('\'')?;
        let (_, encoded) = rest.split_once('\'')?;
        let is_utf8 = charset.eq_ignore_ascii_case("utf-8");
        is_utf8.then(|| percent_decode_str(encoded).decode_utf8_lossy().into_owned())
    });
    extended.or_else(|| parameter("filename")).filter(|name| !name.trim().is_empty())
}

/// The parameters of a header: `attachment; name=value; name="quoted \"value\""`.
fn parameters(text: &str) -> impl Iterator<Item = (&str, String)> {
    let mut rest = text.split_once(';').map_or("", |(_, rest)| rest);
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let mut value = String::new();
        let mut letters = after.char_indices();
        let is_quoted = after.starts_with('"');
        if is_quoted {
            letters.next();
        }
        let mut end = after.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' if is_quoted => {
                    end = after[at..].find(';').map_or(after.len(), |more| at + more);
                    break;
                }
                '\\' if is_quoted => value.extend(letters.next().map(|(_, letter)| letter)),
                ';' if !is_quoted => {
                    end = at;
                    break;
                }
                _ => value.push(letter),
            }
        }
        rest = after[end..].trim_start_matches(';');
        let value = if is_quoted { value } else { value.trim().to_owned() };
        Some((name.trim(), value))
    })
}

fn refused(status: StatusCode) -> Error {
    let (kind, what) = match status.as_u16() {
        401 | 403 | 407 => (ErrorKind::InvalidOption, "it may not be read without a login"),
        404 | 410 => (ErrorKind::InvalidOption, "there is nothing at this address"),
        429 => (ErrorKind::Io, "its server wants to be asked less often"),
        408 | 425 | 500..=599 => (ErrorKind::Io, "its server has a fault"),
        _ => (ErrorKind::InvalidOption, "its server gave an answer of no use"),
    };
    Error::new(kind, format!("{what} (HTTP status {})", status.as_u16()))
}

/// A request that came to nothing. What the guard said is said as it was.
fn not_asked(error: &reqwest::Error) -> Stop {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(judged) = inner.downcast_ref::<Error>() {
            return Stop::Failed(Error::new(judged.kind(), judged.message()));
        }
        source = inner.source();
    }
    Stop::Broken(Error::new(ErrorKind::Io, format!("its server cannot be asked: {}", reason(error))))
}

fn broken(why: &str) -> Stop {
    Stop::Broken(Error::new(ErrorKind::Io, format!("the connection broke: {why}")))
}

fn silent() -> Stop {
    broken(&format!("nothing came for {} s", SILENCE.as_secs()))
}

fn too_large(most_bytes: u64) -> Error {
    invalid(format!("it is larger than the {} MB that there is room for", most_bytes >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(header: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_DISPOSITION, header.parse().unwrap());
        name_in(&headers)
    }

    #[test]
    fn a_file_is_called_what_its_server_says() {
        for (header, expected) in [
            ("attachment; filename=song.mp3", "song.mp3"),
            ("attachment; filename=\"Night; Drive.mp3\"; size=7", "Night; Drive.mp3"),
            ("inline; FileName = \"a \\\"b\\\".mp3\"", "a \"b\".mp3"),
            (
                "attachment; filename=\"x.mp3\"; filename*=UTF-8''na%C3%AFve%20%F0%9F%8E%B5.mp3",
                "naïve 🎵.mp3",
            ),
            ("attachment; filename*=UTF-8'en'a%2Fb.mp3", "a/b.mp3"),
            ("attachment; filename*=latin1''x; filename=y.mp3", "y.mp3"),
            ("attachment; filename=\"unfinished", "unfinished"),
        ] {
            assert_eq!(named(header).as_deref(), Some(expected), "{header}");
        }
        for header in
            ["attachment", "attachment; filename", "attachment; filename=\"\"", ";;;=", "inline; size=3"]
        {
            assert_eq!(named(header), None, "{header}");
        }
    }

    #[test]
    fn pages_are_known_by_how_they_begin() {
        for page in ["<!DOCTYPE html><html>", "\n  <HTML lang=en>", "\u{feff}<head>", "<?xml version"] {
            assert!(is_page(page.as_bytes()), "{page}");
        }
        for other in [&b"ID3\x04"[..], b"RIFF", b"fLaC", b"", b"<3", b"\xff\xfb\x90"] {
            assert!(!is_page(other), "{other:?}");
        }
    }
}
