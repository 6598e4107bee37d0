//! `sfa serve`: a library over HTTP.
//!
//! Requests go through `front`, then through the guard of their route, which `routes` declares together with
//! the right that it needs, then to a handler in `resources`: that calls the library once and shapes the answer.

mod answer;
mod auth;
mod callers;
mod client;
mod compression;
mod content;
mod error;
mod front;
mod legacy;
mod limits;
mod metrics;
mod model_desk;
mod options;
mod resources;
mod rights;
mod routes;
mod serve;
mod studio;
mod tls;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sfa_core::library::{Library, LibraryResult, Passwords, Role, Secret, UserId, UserQuery};
use tokio::sync::{Mutex, broadcast, watch};

pub use legacy::legacy_openapi;
pub use options::{Rates, ServeOptions};
pub use resources::openapi;
pub use serve::Server;
pub use tls::Tls;

use callers::Callers;
use limits::{Limits, Places};
use metrics::Metrics;
use model_desk::ModelDesk;

/// Changes of rights that sockets may be behind before all of them look again.
const REVOCATIONS: usize = 256;

/// What every request can reach. Nothing of it is the state of the library, which is in the database.
#[derive(Clone)]
struct App(Arc<Shared>);

struct Shared {
    library: Library,
    options: ServeOptions,
    passwords: Passwords,
    limits: Limits,
    places: Places,
    metrics: Metrics,
    callers: Callers,
    models: ModelDesk,
    /// Makes the first admin, once.
    set_up: Mutex<Option<Secret>>,
    /// Whose rights have just become less; open sockets look again.
    revoked: broadcast::Sender<UserId>,
    stopping: watch::Receiver<bool>,
    started_at_ms: i64,
}

impl App {
    async fn new(
        library: Library,
        options: ServeOptions,
        stopping: watch::Receiver<bool>,
    ) -> LibraryResult<Self> {
        let set_up = if has_admin(&library).await? { None } else { Some(Secret::random()) };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self(Arc::new(Shared {
            library,
            // Half of them: who signs in keeps nobody waiting.
            passwords: Passwords::new(threads.div_ceil(2)),
            limits: Limits::new(options.rates),
            places: Places::default(),
            metrics: Metrics::new(),
            callers: Callers::default(),
            models: ModelDesk::default(),
            options,
            set_up: Mutex::new(set_up),
            revoked: broadcast::Sender::new(REVOCATIONS),
            stopping,
            started_at_ms: now_ms(),
        })))
    }

    /// Has the open sockets of a user look whether they still may be.
    fn revoke(&self, user: UserId) {
        // Nobody listening is no fault.
        self.revoked.send(user).ok();
    }
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

async fn has_admin(library: &Library) -> LibraryResult<bool> {
    for role in [Role::SuperAdmin, Role::Admin] {
        let query = UserQuery { role: Some(role), limit: 1, ..UserQuery::default() };
        if !library.rows().users(&query).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
