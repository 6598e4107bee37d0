//! Who can separate.

use axum::extract::State;
use serde::Serialize;
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

/// Looks at files, away from the threads that answer.
pub(in crate::http) async fn looked_up<T: Send + 'static>(
    look: impl FnOnce() -> T + Send + 'static,
) -> ApiResult<T> {
    tokio::task::spawn_blocking(look).await.map_err(|error| ApiError::internal(error.to_string()))
}
