//! One file for each thing that can be asked for, and the list of all routes.

mod account;
mod acting;
mod audit;
mod cues;
mod engines;
mod files;
mod imports;
mod jobs;
mod links;
pub(super) mod live;
mod missing;
mod models;
mod notifications;
mod oidc;
mod oversight;
mod packages;
mod playlists;
mod reference;
mod results;
mod resumable;
mod sessions;
mod settings;
mod several;
mod system;
mod tokens;
mod tools;
mod tracks;
mod uploads;
mod users;
mod vault;

use axum::response::IntoResponse;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::routes;

use super::error::Failure;
use super::rights::Right;
use super::routes::{Routes, Weight};

pub(super) use engines::looked_up;
pub(super) use oidc::CALLBACK as OIDC_CALLBACK;
pub(super) use tracks::make_sure_of_step;

/// Every route.
pub(super) fn all() -> Routes {
    use Right::{
        Account, Change, Impersonate, Leave, ManageJobs, ManageModels, ManageUsers, Nothing, Read, Secure,
        SeeAudit, SeeSystem, SeeUsers, Suspend,
    };
    use Weight::{Heavy, Light, Stream, Upload};
    Routes::about(Document::openapi())
        .add(Nothing, Weight::Nothing, routes!(system::health))
        .add(Nothing, Weight::Nothing, routes!(system::ready))
        .add(Nothing, Light, routes!(document))
        .add(Nothing, Light, routes!(reference::page))
        .add(Nothing, Light, routes!(reference::file))
        .add(Nothing, Light, routes!(system::server))
        .add(Nothing, Heavy, routes!(account::set_up))
        .add(Nothing, Heavy, routes!(account::register))
        .add(Nothing, Heavy, routes!(account::log_in))
        .add(Nothing, Heavy, routes!(links::ask_to_sign_in))
        .add(Nothing, Heavy, routes!(links::sign_in))
        .add(Nothing, Heavy, routes!(links::ask_for_password))
        .add(Nothing, Heavy, routes!(links::set_password))
        .add(Secure, Heavy, routes!(links::ask_for_email))
        .add(Nothing, Heavy, routes!(links::confirm_email))
        .add(Nothing, Heavy, routes!(oidc::begin))
        .add(Nothing, Heavy, routes!(oidc::come_back))
        .add(Account, Light, routes!(oidc::list))
        .add(Secure, Heavy, routes!(oidc::link, oidc::unlink))
        .add(Leave, Light, routes!(account::log_out))
        .add(Read, Light, routes!(account::me))
        .add(Account, Light, routes!(account::edit_me))
        .add(Secure, Heavy, routes!(account::change_password))
        .add(Account, Heavy, routes!(sessions::reauthenticate))
        .add(Account, Light, routes!(sessions::list, sessions::close_others))
        .add(Account, Light, routes!(sessions::close))
        .add(Account, Light, routes!(tokens::list))
        .add(Secure, Light, routes!(tokens::make))
        .add(Account, Light, routes!(tokens::revoke))
        .add(Read, Light, routes!(tracks::list))
        .add(Read, Heavy, routes!(missing::list))
        .add(Change, Upload, routes!(uploads::upload))
        .add(Change, Heavy, routes!(imports::import))
        .add(Nothing, Light, routes!(resumable::ask))
        .add(Change, Light, routes!(resumable::begin))
        .add(Change, Light, routes!(resumable::show, resumable::end))
        .add(Change, Upload, routes!(resumable::go_on))
        .add(Read, Light, routes!(tracks::show))
        .add(Change, Light, routes!(tracks::edit, tracks::remove))
        .add(Change, Heavy, routes!(tracks::process))
        .add(Change, Heavy, routes!(several::process))
        .add(Change, Light, routes!(several::remove))
        .add(Read, Light, routes!(results::analysis))
        .add(Read, Light, routes!(results::stems))
        .add(Read, Light, routes!(cues::list))
        .add(Change, Light, routes!(cues::place))
        .add(Change, Light, routes!(cues::set, cues::remove))
        .add(Read, Light, routes!(results::exports))
        .add(Read, Stream, routes!(files::read))
        .add(Change, Light, routes!(files::make_link))
        .add(Nothing, Stream, routes!(files::follow_link))
        .add(Read, Light, routes!(jobs::list))
        .add(Read, Light, routes!(jobs::show))
        .add(Read, Light, routes!(jobs::timeline))
        .add(Change, Light, routes!(jobs::cancel))
        .add(Change, Heavy, routes!(jobs::retry))
        .add(Read, Light, routes!(playlists::list))
        .add(Change, Light, routes!(playlists::make))
        .add(Read, Light, routes!(playlists::show))
        .add(Change, Light, routes!(playlists::edit, playlists::remove))
        .add(Change, Light, routes!(playlists::set_tracks))
        .add(Read, Light, routes!(packages::list))
        .add(Read, Light, routes!(packages::plan))
        .add(Change, Heavy, routes!(packages::make))
        .add(Change, Light, routes!(packages::remove))
        .add(Read, Light, routes!(notifications::list))
        .add(Change, Light, routes!(notifications::mark_read))
        .add(Read, Light, routes!(settings::show))
        .add(Change, Light, routes!(settings::replace))
        .add(Read, Light, routes!(engines::engines))
        .add(Read, Light, routes!(tools::list))
        .add(Read, Light, routes!(models::list))
        .add(Read, Light, routes!(models::licence))
        .add(ManageModels, Heavy, routes!(models::pull))
        .add(ManageModels, Heavy, routes!(models::verify))
        .add(ManageModels, Upload, routes!(models::import))
        .add(ManageModels, Light, routes!(models::remove))
        .add(ManageModels, Light, routes!(models::clear))
        .add(Read, Stream, routes!(live::socket))
        .add(Read, Stream, routes!(live::stream))
        .add(SeeUsers, Light, routes!(users::list))
        .add(ManageUsers, Heavy, routes!(users::make))
        .add(SeeUsers, Light, routes!(users::show))
        .add(ManageUsers, Light, routes!(users::edit, users::remove))
        .add(Suspend, Light, routes!(users::set_status))
        .add(Impersonate, Light, routes!(acting::begin))
        .add(Leave, Light, routes!(acting::end))
        .add(Account, Light, routes!(vault::list))
        .add(Secure, Light, routes!(vault::put, vault::remove))
        .add(SeeAudit, Light, routes!(audit::list))
        .add(SeeSystem, Light, routes!(system::queues))
        .add(SeeSystem, Light, routes!(oversight::overview))
        .add(SeeSystem, Light, routes!(oversight::jobs))
        .add(ManageJobs, Light, routes!(oversight::cancel))
        .add(ManageJobs, Light, routes!(oversight::retry))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sound Forge Alchemy",
        description = "Songs in; stems, analysis, cues and files for the tools of DJs and producers out.",
    ),
    components(schemas(Failure)),
    security(("cookie" = []), ("token" = [])),
    modifiers(&Schemes)
)]
struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description("sfa", "Of POST /api/v1/login"));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
        let token = Http::new(HttpAuthScheme::Bearer);
        components.add_security_scheme("token", SecurityScheme::Http(token));
    }
}

/// The document about the API, in OpenAPI 3.1.
pub fn openapi() -> String {
    let (_, document) = all().split();
    document.to_pretty_json().expect("a document is plain data")
}

/// This document
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "server", responses(
    (status = 200, description = "OpenAPI 3.1", body = Object)
))]
async fn document() -> impl IntoResponse {
    static DOCUMENT: std::sync::LazyLock<String> = std::sync::LazyLock::new(openapi);
    ([(axum::http::header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
