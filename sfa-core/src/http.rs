//! The one HTTP client, set up when it is first needed.
//!
//! This crate's calls block. The client underneath is asynchronous all the same: a future can be dropped at any
//! moment, whereas a blocking read sits in the system until bytes or its time limit come, and a stop must not.

use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::{Certificate, Client, ClientBuilder, Url};

use crate::{Error, ErrorKind, Result, Watch};

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How often the stop flag is looked at while nothing comes.
const TICK: Duration = Duration::from_millis(25);

/// Does `work` with a client for `url`, on a thread and a runtime of its own: the caller may be inside another
/// runtime, which would not let us block.
pub(crate) fn run<T: Send, E: From<Error> + Send>(
    url: &str,
    work: impl AsyncFnOnce(&Client, Url) -> Result<T, E> + Send,
) -> Result<T, E> {
    let url = Url::parse(url).map_err(|error| {
        Error::new(ErrorKind::InvalidOption, format!("this is no address: {error}")).about(url)
    })?;
    let client = client(&url, |builder| builder)?;
    let attempt = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(internal)?;
        let result = runtime.block_on(work(&client, url));
        // A name that is still being looked up cannot be interrupted; nobody waits for it.
        runtime.shutdown_background();
        result
    };
    let joined = thread::scope(|scope| scope.spawn(attempt).join());
    joined.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Internal, "a fault in this program while fetching; please report it")
            .into())
    })
}

/// Waits for `work`, but no longer than until a stop is asked for or `limit` is over.
///
/// # Errors
/// `Cancelled`; `None` inside stands for the time limit.
pub(crate) async fn wait<T>(
    work: impl Future<Output = T>,
    limit: Duration,
    watch: &Watch,
) -> Result<Option<T>> {
    let mut work = pin!(work);
    let started = Instant::now();
    loop {
        watch.checkpoint()?;
        let left = limit.saturating_sub(started.elapsed());
        match tokio::time::timeout(left.min(TICK), work.as_mut()).await {
            Ok(done) => return Ok(Some(done)),
            Err(_) if left.is_zero() => return Ok(None),
            Err(_) => {}
        }
    }
}

/// A client that trusts whom the system trusts and, unless it is set up `otherwise`, goes through the proxies that the
/// environment names.
pub(crate) fn client(url: &Url, otherwise: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Client> {
    // Fails where a provider is installed already, which is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    let builder = || {
        let usual = Client::builder()
            .user_agent(concat!("sound-forge-alchemy/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_LIMIT)
            .referer(false);
        otherwise(usual)
    };
    builder().build().or_else(|error| without_certificates(url, builder(), error)).map_err(|error| {
        let message = format!(
            "the connection cannot be secured: {}; installing `ca-certificates` mends that where the system has none",
            reason(&error)
        );
        Error::new(ErrorKind::ToolUnavailable, message).caused_by(error)
    })
}

/// A system without certificates can trust nobody, but needs nobody to trust for plain `http`.
fn without_certificates(url: &Url, builder: ClientBuilder, error: reqwest::Error) -> reqwest::Result<Client> {
    if url.scheme() == "http" {
        builder.tls_certs_only(Vec::<Certificate>::new()).build()
    } else {
        Err(error)
    }
}

/// What is at the bottom of an error: the layers above only say that a request failed.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn internal(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("fetching could not be started: {error}")).caused_by(error)
}
