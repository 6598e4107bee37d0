//! One file over HTTP: goes on where an earlier try ended, follows redirections, and stops within a moment.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode, Url};

use super::pull::{PullEvent, Tally};
use crate::http::{self, reason};
use crate::part::{self, Answer, Part};
use crate::{Error, ErrorKind, Result, Watch};

/// More than any model has: what goes on beyond this is something else.
const MOST_BYTES: u64 = 2 << 30;
/// How often a connection may break without a single new byte in between.
const FRUITLESS_TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// What is fetched, and how patiently.
pub(super) struct Transfer<'a> {
    pub(super) url: &'a str,
    pub(super) published_bytes: Option<u64>,
    /// How long nothing may come before the connection counts as broken.
    pub(super) stall_limit: Duration,
    pub(super) watch: &'a Watch,
}

/// Why a file did not come.
pub(super) enum Failure {
    /// The connection broke; trying again may help.
    Broken(Error),
    /// This source does not have it; another one may.
    Source(Error),
    /// Nothing will help: it is not the source that failed.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Hears what happens on the way.
pub(super) type Tell<'a> = dyn FnMut(PullEvent<'_>) + Send + 'a;

/// Fetches what `part` still lacks.
pub(super) fn fetch(
    part: &mut Part,
    transfer: &Transfer<'_>,
    tally: &mut Tally<'_>,
    tell: &mut Tell<'_>,
) -> Result<(), Failure> {
    http::run(transfer.url, async |client, url| {
        let (mut most, mut fruitless) = (part.bytes(), 0);
        loop {
            let error = match attempt(client, &url, part, transfer, tally, tell).await {
                Ok(true) => return Ok(()),
                Ok(false) => continue,
                Err(Failure::Broken(error)) => error,
                Err(failure) => return Err(failure),
            };
            fruitless = if part.bytes() > most { 0 } else { fruitless + 1 };
            most = most.max(part.bytes());
            if fruitless == FRUITLESS_TRIES {
                return Err(Failure::Source(error));
            }
            tell(PullEvent::Interrupted { error: &error });
            let pause = FIRST_PAUSE * 2_u32.pow(fruitless);
            http::wait(std::future::pending::<()>(), pause, transfer.watch).await?;
        }
    })
}

/// One request and its answer. `false` asks for another at once, because this one could not be gone on with.
async fn attempt(
    client: &Client,
    url: &Url,
    part: &mut Part,
    transfer: &Transfer<'_>,
    tally: &mut Tally<'_>,
    tell: &mut Tell<'_>,
) -> Result<bool, Failure> {
    let request = part.ask(transfer.url, client.get(url.clone()));
    let answer = http::wait(request.send(), transfer.stall_limit, transfer.watch).await?;
    let response = answer.ok_or_else(|| stalled(transfer))?.map_err(|error| request_failed(&error))?;
    let going_on = match part.read(transfer.url, &response) {
        Answer::Whole => false,
        Answer::Rest => true,
        Answer::Nothing => return Ok(true),
        Answer::Another => {
            tell(PullEvent::StartedOver { url: transfer.url });
            part.restart(transfer.url, None)?;
            return Ok(false);
        }
        Answer::Refused(status) => return Err(refused(status)),
    };
    let start = if going_on { part.bytes() } else { 0 };
    let announced = response.content_length().map(|bytes| start.saturating_add(bytes));
    let expected = transfer.published_bytes.or(announced);
    if let (Some(expected), Some(announced)) = (expected, announced)
        && expected != announced
    {
        return Err(not_it(format!("it has {announced} bytes there, and not the published {expected}")));
    }
    if expected.is_some_and(|bytes| bytes > MOST_BYTES) {
        return Err(not_it("it is larger there than any model".to_owned()));
    }
    if !going_on {
        if part.bytes() > 0 {
            tell(PullEvent::StartedOver { url: transfer.url });
        }
        part.restart(transfer.url, part::version(response.headers()))?;
    }
    tally.expect(expected);
    receive(response, part, expected, transfer, tally).await?;
    Ok(true)
}

async fn receive(
    mut response: Response,
    part: &mut Part,
    expected: Option<u64>,
    transfer: &Transfer<'_>,
    tally: &mut Tally<'_>,
) -> Result<(), Failure> {
    let broken = |part: &Part, why: String| {
        let of_all = expected.map(|bytes| format!(" of {bytes}")).unwrap_or_default();
        let message = format!("the connection broke after {}{of_all} bytes: {why}", part.bytes());
        Failure::Broken(Error::new(ErrorKind::ModelUnavailable, message))
    };
    loop {
        tally.at(part.bytes())?;
        let chunk = http::wait(response.chunk(), transfer.stall_limit, transfer.watch).await?;
        match chunk {
            Some(Ok(Some(bytes))) => {
                if part.bytes() + bytes.len() as u64 > expected.unwrap_or(MOST_BYTES) {
                    part.restart(transfer.url, None)?;
                    return Err(not_it("it is longer there than it should be".to_owned()));
                }
                part.append(&bytes)?;
            }
            Some(Ok(None)) if expected.is_none_or(|bytes| bytes == part.bytes()) => return Ok(()),
            Some(Ok(None)) => return Err(broken(part, "it ended early".to_owned())),
            Some(Err(error)) => return Err(broken(part, reason(&error))),
            None => return Err(broken(part, nothing_came(transfer))),
        }
    }
}

fn refused(status: StatusCode) -> Failure {
    let what = match status.as_u16() {
        401 | 403 | 407 => "it may not be read without a login",
        404 | 410 => "it is not there",
        429 => "there were too many requests",
        500..=599 => "the server has a fault",
        _ => "the server gave an answer of no use",
    };
    not_it(format!("{what} (HTTP status {status})"))
}

fn request_failed(error: &reqwest::Error) -> Failure {
    let message = format!("the request failed: {}", reason(error));
    let failed = Error::new(ErrorKind::ModelUnavailable, message);
    // Who cannot be reached now will not be in half a second, and there may be somebody else to ask.
    if error.is_connect() || error.is_redirect() || error.is_builder() {
        Failure::Source(failed)
    } else {
        Failure::Broken(failed)
    }
}

fn stalled(transfer: &Transfer<'_>) -> Failure {
    Failure::Broken(Error::new(ErrorKind::ModelUnavailable, nothing_came(transfer)))
}

fn nothing_came(transfer: &Transfer<'_>) -> String {
    format!("nothing came for {} s", transfer.stall_limit.as_secs_f64())
}

fn not_it(message: String) -> Failure {
    Failure::Source(Error::new(ErrorKind::ModelUnavailable, message))
}
