//! Listening, and ending well.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use sfa_core::library::{Library, LibraryError, LibraryErrorKind, LibraryResult};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use super::client::Peer;
use super::error::ApiError;
use super::front::front;
use super::resources::live::Rounds;
use super::studio::studio;
use super::{App, ServeOptions, compression, legacy, metrics, resources, tls};

/// The headers of a request have to be there within this time, and the next request on an idle connection.
const HEADERS_TIME: Duration = Duration::from_secs(30);
const MOST_HEADERS: usize = 100;
const MOST_HEADER_BYTES: usize = 32 << 10;
/// Bodies of JSON.
const MOST_BODY_BYTES: usize = 256 << 10;
/// Connections at once; others wait to be accepted.
const MOST_CONNECTIONS: usize = 10_000;

/// A server that listens. Dropping it leaves it listening until its runtime ends.
pub struct Server {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    is_encrypted: bool,
    set_up_token: Option<String>,
    stop: watch::Sender<bool>,
    drain_time: Duration,
}

impl Server {
    /// Starts listening on the current runtime, with the library that it opens to the network.
    ///
    /// # Errors
    /// `Invalid` when it cannot listen there or send mail so, or its certificate cannot be used, `Database` when the
    /// library cannot be read.
    pub async fn start(library: Library, options: ServeOptions) -> LibraryResult<Self> {
        let (listener, address) = listen(options.listen, "--listen").await?;
        let tls = match &options.tls {
            Some(tls) => Some(tls.acceptor(address, options.public_url.as_deref())?),
            None => None,
        };
        let is_encrypted = tls.is_some();
        let measured = match options.metrics_listen {
            Some(address) => Some(listen(address, "--metrics-listen").await?),
            None => None,
        };
        let metrics_address = measured.as_ref().map(|(_, address)| *address);
        let drain_time = options.drain_time;
        let (stop, stopping) = watch::channel(false);
        library.sweep_uploads().await?;
        let app = App::new(library, options, stopping.clone()).await?;
        let set_up_token = app.set_up.lock().await.as_ref().map(|secret| secret.reveal());
        if let Some((listener, _)) = measured {
            tokio::spawn(accept(listener, None, metrics::router(app.clone()), stopping.clone()));
        }
        tokio::spawn(Rounds::make(app.clone()));
        tokio::spawn(app.options.journal.clone().hear(app.library.clone(), stopping.clone()));
        tokio::spawn(accept(listener, tls, router(app), stopping));
        Ok(Self { address, metrics_address, is_encrypted, set_up_token, stop, drain_time })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as browsers write it.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.is_encrypted { "https" } else { "http" }, self.address)
    }

    /// Where it says how it is, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// What makes the first admin, while there is none.
    pub fn set_up_token(&self) -> Option<&str> {
        self.set_up_token.as_deref()
    }

    /// Accepts nothing more, tells open sockets, lets open requests end for a while, and returns when all are gone.
    pub async fn shutdown(self) {
        self.stop.send(true).ok();
        // Whatever still answers somebody holds a receiver.
        if tokio::time::timeout(self.drain_time, self.stop.closed()).await.is_err() {
            tracing::warn!("some requests did not end in time and are cut off");
        }
    }
}

async fn listen(on: SocketAddr, option: &str) -> LibraryResult<(TcpListener, SocketAddr)> {
    let refused = |error| {
        let message = format!("cannot listen on {on}: {error}; {option} says where instead");
        LibraryError::new(LibraryErrorKind::Invalid, message).caused_by(error)
    };
    let listener = TcpListener::bind(on).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

fn router(app: App) -> Router {
    let (routes, _) = resources::all().split();
    routes
        .merge(legacy::router())
        .fallback(studio)
        .method_not_allowed_fallback(async || {
            let message = "this cannot be done here; the header Allow says what can";
            ApiError::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
        })
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(middleware::from_fn_with_state(app.clone(), front))
        .layer(compression::layer())
        .with_state(app)
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, most likely: some will be closed.
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Answers are small and written whole; waiting for more to send only delays them.
        stream.set_nodelay(true).ok();
        let addressed = Addressed { router: router.clone(), peer: Peer(peer.ip()) };
        let (tls, mut stopping) = (tls.clone(), stopping.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let Some(tls) = tls else { return converse(stream, addressed, stopping).await };
            let agreed = tokio::select! {
                agreed = tls::begin(&tls, stream) => agreed,
                _ = stopping.wait_for(|stopping| *stopping) => None,
            };
            if let Some(stream) = agreed {
                converse(stream, addressed, stopping).await;
            }
        });
    }
    // Before the receiver, whose end says that nobody is let in any more.
    drop(listener);
}

/// Answers the requests of one connection, until its end or the server's.
async fn converse<S>(stream: S, addressed: Addressed, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_TIME)
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), addressed)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // A connection that breaks is the client's business.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await.ok();
}

/// The router, for the requests of one connection.
struct Addressed {
    router: Router,
    peer: Peer,
}

impl hyper::service::Service<hyper::Request<Incoming>> for Addressed {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = axum::routing::future::RouteFuture<Infallible>;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        legacy::lead_socket(&mut request);
        self.router.clone().call(request)
    }
}
