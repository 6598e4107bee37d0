//! Work on the models of this machine, which no request waits for: one piece at a time, on a thread of its own. What is
//! here is only how far it is; the models themselves are files, see [`ModelStore`](sfa_core::models::ModelStore).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use sfa_core::{ErrorKind, Watch};

use super::error::{ApiError, ApiResult};

/// What is done to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Pull,
    Verify,
    Import,
}

impl Action {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Verify => "verify",
            Self::Import => "import",
        }
    }
}

/// How the last piece of work on a model stands.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) action: Action,
    /// 0 to 100, while it runs.
    pub(super) percent: Option<u64>,
    /// What came of it, once it has ended; wrong or right.
    pub(super) ended: Option<Result<String, String>>,
}

/// Where work on models is begun, seen and stopped.
#[derive(Debug, Clone, Default)]
pub(super) struct ModelDesk(Arc<Mutex<Option<Task>>>);

#[derive(Debug)]
struct Task {
    model: &'static str,
    action: Action,
    watch: Watch,
    percent: Arc<AtomicU64>,
    ended: Option<Result<String, String>>,
}

impl ModelDesk {
    /// Begins to do `work`, which returns a sentence about what came of it.
    ///
    /// # Errors
    /// A conflict while something else is done.
    pub(super) fn begin(
        &self,
        model: &'static str,
        action: Action,
        work: impl FnOnce(&Watch) -> sfa_core::Result<String> + Send + 'static,
    ) -> ApiResult<()> {
        let percent = Arc::new(AtomicU64::new(0));
        let watch = Watch::with_sink({
            let percent = Arc::clone(&percent);
            move |news| {
                let done = news.fraction().map_or(0, |fraction| (fraction * 100.0) as u64);
                percent.fetch_max(done, Ordering::Relaxed);
            }
        });
        {
            let mut place = self.place();
            if let Some(Task { model, action, ended: None, .. }) = &*place {
                let message = format!("{} {model} is not done yet; one model at a time", action.name());
                return Err(ApiError::new(StatusCode::CONFLICT, "conflict", message));
            }
            *place = Some(Task { model, action, watch: watch.clone(), percent, ended: None });
        }
        let desk = self.clone();
        std::thread::spawn(move || {
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&watch)));
            let ended = ended.unwrap_or_else(|_| {
                Err(sfa_core::Error::new(ErrorKind::Internal, "this failed in a way that nobody foresaw"))
            });
            let ended = match ended {
                Ok(sentence) => Ok(sentence),
                Err(error) if error.is_cancelled() => {
                    Ok("stopped; what has come is kept for the next try".to_owned())
                }
                Err(error) => Err(error.to_string()),
            };
            if let Some(task) = &mut *desk.place() {
                task.ended = Some(ended);
            }
        });
        Ok(())
    }

    /// How the last work stands, if it was on this model.
    pub(super) fn standing(&self, model: &str) -> Option<Standing> {
        let place = self.place();
        let task = place.as_ref().filter(|task| task.model == model)?;
        let percent = task.ended.is_none().then(|| task.percent.load(Ordering::Relaxed));
        Some(Standing { action: task.action, percent, ended: task.ended.clone() })
    }

    /// Stops the work on this model, or forgets what came of it.
    pub(super) fn clear(&self, model: &str) {
        let mut place = self.place();
        match &*place {
            Some(task) if task.model == model && task.ended.is_none() => task.watch.stop(),
            Some(task) if task.model == model => *place = None,
            _ => {}
        }
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Option<Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
