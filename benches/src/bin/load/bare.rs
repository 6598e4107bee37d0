//! The list of songs without anything around it: what the layers of the server are compared with.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sfa_core::library::{Library, Scope, TrackQuery};
use tokio::net::TcpListener;

use crate::house::Place;
use crate::{Failure, PAGE};

/// Serves until it is killed.
#[allow(clippy::print_stdout, reason = "whoever starts it reads where it listens")]
pub(crate) async fn serve(place: &Place, scope: Scope) -> Result<(), Failure> {
    let library = place.open().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let library = library.clone();
        let service = service_fn(move |_: Request<hyper::body::Incoming>| list(library.clone(), scope));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn list(library: Library, scope: Scope) -> Result<Response<Full<Bytes>>, Infallible> {
    let query = TrackQuery { limit: PAGE, ..TrackQuery::default() };
    let body = match library.rows().tracks(scope, &query).await {
        Ok(tracks) => serde_json::to_vec(&tracks).unwrap_or_default(),
        Err(error) => error.to_string().into_bytes(),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    Ok(response)
}
