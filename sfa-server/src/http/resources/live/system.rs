//! How the server is, as it changes: the one thing that no log tells.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use sfa_core::library::{WorkerId, WorkerStatus};
use tokio::time::{Interval, MissedTickBehavior};

use super::super::system::QueueView;
use crate::http::App;
use crate::http::error::ApiResult;

/// How often it is looked at while an admin follows it.
const LOOK: Duration = Duration::from_secs(2);

/// A process that works.
#[derive(Serialize)]
struct WorkerView {
    id: WorkerId,
    name: String,
    capabilities: Vec<String>,
    running: i64,
    started_at_ms: i64,
    seen_at_ms: i64,
}

impl From<WorkerStatus> for WorkerView {
    fn from(worker: WorkerStatus) -> Self {
        let WorkerStatus { id, name, capabilities, running, started_at_ms, seen_at_ms } = worker;
        Self { id, name, capabilities, running, started_at_ms, seen_at_ms }
    }
}

/// The queues, the workers of all nodes, and what is followed on this one.
pub(super) async fn look(app: &App) -> ApiResult<Value> {
    let rows = app.library.rows();
    let queues: Vec<QueueView> = rows.queues().await?.into_iter().map(Into::into).collect();
    let workers: Vec<WorkerView> = rows.workers().await?.into_iter().map(Into::into).collect();
    Ok(json!({"queues": queues, "workers": workers, "followed_topics": app.library.listening().topics}))
}

/// Looks again and again.
pub(super) struct SystemWatch {
    app: App,
    again: Interval,
    last: Value,
}

impl SystemWatch {
    pub(super) fn after(app: App, last: Value) -> Self {
        let mut again = tokio::time::interval(LOOK);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { app, again, last }
    }

    /// Waits until something is otherwise, and shows all of it.
    pub(super) async fn next(&mut self) -> ApiResult<Value> {
        loop {
            self.again.tick().await;
            let now = look(&self.app).await?;
            if now != self.last {
                self.last.clone_from(&now);
                return Ok(now);
            }
        }
    }
}
