//! The models of engines on the server's machine.

use axum::body::Body as RequestBody;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use sfa_core::audio::separate::demucs::bags::Bag;
use sfa_core::models::{BagStatus, LICENCE_STATEMENT, ModelStore, PullOptions, Trust};
use sfa_core::{ErrorKind, Studio};
use utoipa::{IntoParams, ToSchema};

use super::engines::looked_up;
use super::uploads::{announced_bytes, receive};
use crate::http::App;
use crate::http::answer::{At, Body, Data, Page, Query};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::model_desk::{Action, Standing};

/// A model of an engine.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ModelView {
    #[schema(example = "htdemucs")]
    name: String,
    /// One honest line about what to expect.
    description: String,
    stems: Vec<String>,
    /// Whether all of it is on the server's machine.
    is_ready: bool,
    /// Bytes to download for it, where that is known.
    download_bytes: Option<u64>,
    /// Bytes that are on the server's machine.
    stored_bytes: u64,
    /// Whether its bytes are the published ones: verified, unverified or unchecked; absent where there are none.
    #[schema(example = "verified")]
    trust: Option<String>,
    /// The last work on it, until somebody has seen what came of it.
    work: Option<ModelWork>,
}

/// Work on a model.
#[derive(Serialize, ToSchema)]
struct ModelWork {
    /// pull, verify or import.
    action: String,
    /// 0 to 100 while it runs.
    percent: Option<u64>,
    /// What came of it, once it has ended.
    outcome: Option<String>,
    /// Whether it has failed.
    is_failed: bool,
}

impl From<Standing> for ModelWork {
    fn from(standing: Standing) -> Self {
        let is_failed = matches!(standing.ended, Some(Err(_)));
        Self {
            action: standing.action.name().to_owned(),
            percent: standing.percent,
            outcome: standing.ended.map(|ended| ended.unwrap_or_else(|error| error)),
            is_failed,
        }
    }
}

impl ModelView {
    fn new(bag: BagStatus, work: Option<Standing>) -> Self {
        let trust = bag.trust().map(|trust| match trust {
            Trust::Verified => "verified",
            Trust::Unverified => "unverified",
            Trust::Unchecked => "unchecked",
        });
        Self {
            name: bag.name.to_owned(),
            description: bag.description.to_owned(),
            stems: bag.stems.iter().map(|stem| stem.name().to_owned()).collect(),
            is_ready: bag.ready,
            download_bytes: bag.download_bytes,
            stored_bytes: bag.stored_bytes(),
            trust: trust.map(str::to_owned),
            work: work.map(Into::into),
        }
    }
}

/// What is known of the licence of models.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct LicenceView {
    text: String,
    /// Whether somebody has accepted it on this machine.
    is_accepted: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PullModel {
    /// Accepts what `GET /api/v1/models/licence` says; needed once.
    #[serde(default)]
    accept_licence: bool,
}

/// How a file of a model is called.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ImportQuery {
    /// The name of the file: it tells which part of a model it is, where its checksum does not.
    #[param(example = "955717e8.safetensors")]
    name: String,
    /// Takes a file whose checksum was not published, if it is a model of this kind. Default: no.
    #[serde(default)]
    unverified: bool,
}

/// List the models, here or not
#[utoipa::path(get, path = "/api/v1/models", tag = "engines", responses(
    (status = 200, description = "All that are known", body = Page<ModelView>)
))]
pub(in crate::http) async fn list(State(app): State<App>) -> ApiResult<Page<ModelView>> {
    let desk = app.models.clone();
    let models = looked_up(move || app.library.studio().models().map(ModelStore::status)).await?;
    let models = models.map_err(failure)?.into_iter().map(|bag| {
        let work = desk.standing(bag.name);
        ModelView::new(bag, work)
    });
    Ok(Page::whole(models.collect()))
}

/// Show what is known of the licence of models
#[utoipa::path(get, path = "/api/v1/models/licence", tag = "engines", responses(
    (status = 200, description = "To be accepted before the first one is fetched", body = Data<LicenceView>)
))]
pub(in crate::http) async fn licence(State(app): State<App>) -> ApiResult<Data<LicenceView>> {
    let accepted = looked_up(move || app.library.studio().models().map(ModelStore::licence_accepted)).await?;
    let is_accepted = accepted.map_err(failure)?;
    Ok(Data { data: LicenceView { text: LICENCE_STATEMENT.to_owned(), is_accepted } })
}

/// Fetch a model from its publisher
///
/// `GET /api/v1/models` says how far it is. A fetch that was stopped goes on where it was.
#[utoipa::path(post, path = "/api/v1/models/{name}/pull", tag = "engines", request_body = PullModel,
    params(("name" = String, Path)),
    responses((status = 202, description = "It has begun"))
)]
pub(in crate::http) async fn pull(
    State(app): State<App>,
    caller: Caller,
    At(name): At<String>,
    Body(body): Body<PullModel>,
) -> ApiResult<StatusCode> {
    let (store, bag) = model(&app, &name)?;
    if body.accept_licence {
        let store = store.clone();
        looked_up(move || store.accept_licence()).await?.map_err(failure)?;
    } else if !store.licence_accepted() {
        let message = "read GET /api/v1/models/licence, and send accept_licence if you accept it";
        return Err(ApiError::new(StatusCode::CONFLICT, "licence", message));
    }
    app.models.begin(bag.name, Action::Pull, move |watch| {
        store.pull(bag, &PullOptions::from_env(), watch, &mut |_| {})?;
        Ok("it is here, and its checksums are the published ones".to_owned())
    })?;
    note(&app, &caller, "model.pull", bag).await
}

/// Compare a model with its published checksums
///
/// `GET /api/v1/models` says how far it is, and what was found.
#[utoipa::path(post, path = "/api/v1/models/{name}/verify", tag = "engines",
    params(("name" = String, Path)),
    responses((status = 202, description = "It has begun"))
)]
pub(in crate::http) async fn verify(
    State(app): State<App>,
    caller: Caller,
    At(name): At<String>,
) -> ApiResult<StatusCode> {
    let (store, bag) = model(&app, &name)?;
    app.models.begin(bag.name, Action::Verify, move |watch| {
        let files = store.verify(bag, watch)?;
        if let Some(problem) = files.iter().find_map(|file| file.problem.clone()) {
            return Err(sfa_core::Error::new(ErrorKind::ModelUnavailable, problem));
        }
        Ok(format!("{} of {} files are here and sound", files.len(), bag.networks.len()))
    })?;
    note(&app, &caller, "model.verify", bag).await
}

/// Take a file of a model that one has already
///
/// The file, safetensors or an archive of PyTorch, is the body. `GET /api/v1/models` says what came of it.
#[utoipa::path(post, path = "/api/v1/models/{name}/import", tag = "engines",
    params(("name" = String, Path), ImportQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 202, description = "It has come, and is looked at"))
)]
pub(in crate::http) async fn import(
    State(app): State<App>,
    caller: Caller,
    At(name): At<String>,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: RequestBody,
) -> ApiResult<StatusCode> {
    let (store, bag) = model(&app, &name)?;
    let (most, silence) = (app.options.most_upload_bytes, app.options.request_time);
    let announced = announced_bytes(&headers);
    let upload = app.library.begin_upload(caller.scope(), &query.name, announced, most).await?;
    let upload = receive(&app, upload, body.into_data_stream(), most, silence).await?;
    let file = upload.into_file().await?;
    app.models.begin(bag.name, Action::Import, move |watch| {
        let imported = store.import(bag, &[file.path().to_owned()], query.unverified, watch)?;
        let how = if imported.iter().all(|file| file.verified) {
            "the published one"
        } else {
            "not a published one"
        };
        let missing = store.status_of(bag).networks.iter().filter(|network| network.file.is_none()).count();
        let rest = if missing > 0 { format!("; {missing} more files are missing") } else { String::new() };
        Ok(format!("taken; the file is {how}{rest}"))
    })?;
    note(&app, &caller, "model.import", bag).await
}

/// Remove a model from the server's machine
///
/// Files in the caches of other programs stay.
#[utoipa::path(delete, path = "/api/v1/models/{name}", tag = "engines",
    params(("name" = String, Path)),
    responses((status = 204, description = "Removed"))
)]
pub(in crate::http) async fn remove(
    State(app): State<App>,
    caller: Caller,
    At(name): At<String>,
) -> ApiResult<StatusCode> {
    let (store, bag) = model(&app, &name)?;
    looked_up(move || store.remove(bag)).await?.map_err(failure)?;
    note(&app, &caller, "model.remove", bag).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stop the work on a model, or forget what came of it
#[utoipa::path(delete, path = "/api/v1/models/{name}/work", tag = "engines",
    params(("name" = String, Path)),
    responses((status = 204, description = "It stops soon"))
)]
pub(in crate::http) async fn clear(State(app): State<App>, At(name): At<String>) -> ApiResult<StatusCode> {
    let (_, bag) = model(&app, &name)?;
    app.models.clear(bag.name);
    Ok(StatusCode::NO_CONTENT)
}

fn model(app: &App, name: &str) -> ApiResult<(ModelStore, &'static Bag)> {
    let store = Studio::models(app.library.studio()).map_err(failure)?.clone();
    let bag = store.bag(name).map_err(|_| ApiError::not_found())?;
    Ok((store, bag))
}

async fn note(app: &App, caller: &Caller, action: &str, bag: &Bag) -> ApiResult<StatusCode> {
    let rows = app.library.rows();
    rows.record_act(&caller.actor(), action, "model", bag.name, serde_json::json!({})).await?;
    Ok(StatusCode::ACCEPTED)
}

fn failure(error: sfa_core::Error) -> ApiError {
    match error.kind() {
        ErrorKind::Internal | ErrorKind::Io => ApiError::internal(error.to_string()),
        _ => ApiError::invalid(error.to_string()),
    }
}
