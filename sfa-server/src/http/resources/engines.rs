//! Who can separate, and with which models.

use axum::extract::State;
use serde::Serialize;
use sfa_core::models::BagStatus;
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::Page;
use crate::http::error::{ApiError, ApiResult};

/// An engine, or one of its models.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct EngineView {
    #[schema(example = "demucs")]
    name: String,
    /// One honest line about what to expect.
    description: String,
    #[schema(example = json!(["drums", "bass", "other", "vocals"]))]
    stems: Vec<String>,
}

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
}

impl From<BagStatus> for ModelView {
    fn from(bag: BagStatus) -> Self {
        Self {
            name: bag.name.to_owned(),
            description: bag.description.to_owned(),
            stems: bag.stems.iter().map(|stem| stem.name().to_owned()).collect(),
            is_ready: bag.ready,
            download_bytes: bag.download_bytes,
        }
    }
}

/// List the engines that could work now
#[utoipa::path(get, path = "/api/v1/engines", tag = "engines", responses(
    (status = 200, description = "The best first", body = Page<EngineView>)
))]
pub(in crate::http) async fn engines(State(app): State<App>) -> ApiResult<Page<EngineView>> {
    let engines = looked_up(move || app.library.studio().engines()).await?;
    let view = |engine: sfa_core::audio::separate::EngineInfo| EngineView {
        name: engine.name.to_owned(),
        description: engine.description.to_owned(),
        stems: engine.stems.iter().map(|stem| stem.name().to_owned()).collect(),
    };
    Ok(Page::whole(engines.into_iter().map(view).collect()))
}

/// List the models, here or not
#[utoipa::path(get, path = "/api/v1/models", tag = "engines", responses(
    (status = 200, description = "All that are known", body = Page<ModelView>)
))]
pub(in crate::http) async fn models(State(app): State<App>) -> ApiResult<Page<ModelView>> {
    let models = looked_up(move || app.library.studio().models().map(|store| store.status())).await?;
    let models = models.map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(Page::whole(models))
}

/// Looks at files, away from the threads that answer.
pub(in crate::http) async fn looked_up<T: Send + 'static>(
    look: impl FnOnce() -> T + Send + 'static,
) -> ApiResult<T> {
    tokio::task::spawn_blocking(look).await.map_err(|error| ApiError::internal(error.to_string()))
}
