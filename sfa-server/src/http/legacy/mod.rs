//! The dialects that clients of the programs before this one speak: other paths and shapes for the same calls, with the
//! same rights. What needs a part that this server does not have says which.
//!
//! None of it is in the document of the API; it has one of its own, for those who port a client.

mod failure;
mod files;
mod node;
mod phoenix;
mod rest;
mod socket;
mod work;

use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::middleware;
use axum::response::Response;
use utoipa::OpenApi;
use utoipa_axum::routes;

use super::App;
use super::rights::Right;
use super::routes::{Routes, Weight};

pub(super) use failure::render;

/// On answers in these dialects: failures among them have another shape.
#[derive(Clone, Copy)]
pub(super) struct Spoken;

/// Every route of the older dialects.
fn all() -> Routes {
    use Right::{Change, Nothing, Read};
    use Weight::{Heavy, Light, Stream};
    Routes::about(Document::openapi())
        .add(Read, Light, routes!(rest::fetch_from_spotify))
        .add(Change, Heavy, routes!(rest::download))
        .add(Read, Light, routes!(rest::download_job))
        .add(Read, Light, routes!(rest::models))
        .add(Change, Heavy, routes!(rest::separate))
        .add(Read, Light, routes!(rest::separation))
        .add(Change, Heavy, routes!(rest::analyze))
        .add(Read, Light, routes!(rest::analysis))
        .add(Change, Light, routes!(rest::keep_edit))
        .add(Read, Light, routes!(rest::cloud_quota))
        .add(Change, Light, routes!(rest::cancel_in_cloud))
        .add(Change, Light, routes!(rest::cancel_all_in_cloud))
        .add(Read, Stream, routes!(files::stem))
        .add(Read, Stream, routes!(files::stems))
        .add(Read, Light, routes!(files::analysis))
        .add(Read, Stream, routes!(files::notes))
        .add(Read, Stream, routes!(files::file))
        .add(Read, Stream, routes!(files::drum_notes))
        .add(Read, Light, routes!(files::set))
        .add(Nothing, Weight::Nothing, routes!(files::well_known))
        .add(Read, Light, routes!(files::link_spotify))
        .add(Nothing, Light, routes!(files::spotify_linked))
        .add(Nothing, Light, routes!(node::config))
        .add(Read, Light, routes!(node::downloaded))
        .add(Change, Heavy, routes!(node::separate))
        .add(Read, Light, routes!(node::separation))
        .add(Read, Light, routes!(node::separated))
        .add(Change, Heavy, routes!(node::analyze))
        .add(Read, Light, routes!(node::analysis))
        .add(Read, Light, routes!(node::analyzed))
        .add(Read, Stream, routes!(socket::socket))
        .add(Read, Stream, routes!(phoenix::socket))
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Sound Forge Alchemy, older dialects",
    description = "For clients of the programs before this one. New ones use /api/v1.",
))]
struct Document;

/// The document about the older dialects, in OpenAPI 3.1.
pub fn legacy_openapi() -> String {
    let (_, document) = all().split();
    document.to_pretty_json().expect("a document is plain data")
}

pub(super) fn router() -> Router<App> {
    let (routes, _) = all().split();
    routes.layer(middleware::map_response(async |mut response: Response| {
        response.extensions_mut().insert(Spoken);
        response
    }))
}

/// Leads a socket that is opened at "/", where pages are, to where it is served, and lets one prove with its address.
pub(super) fn lead_socket<B>(request: &mut Request<B>) {
    let is_socket = request.uri().path() == "/"
        && request.headers().get(header::UPGRADE).is_some_and(|protocol| protocol == "websocket");
    if is_socket {
        *request.uri_mut() = axum::http::Uri::from_static(socket::PATH);
    }
    phoenix::take_token(request);
}
