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
mod journal;
mod legacy;
mod limits;
mod metrics;
mod model_desk;
mod once;
mod options;
mod outbox;
mod relay;
mod resources;
mod rights;
mod routes;
mod serve;
mod studio;
mod tls;
mod traces;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use sfa_core::library::{
    Library, LibraryError, LibraryErrorKind, LibraryResult, Passwords, Role, Secret, User, UserId, UserQuery,
};
use sfa_core::oidc::{Oidc, OidcConfig};
use tokio::sync::{Mutex, broadcast, watch};

pub use journal::Journal;
pub use legacy::legacy_openapi;
pub use options::{OidcOptions, Rates, ServeOptions};
pub use resources::openapi;
pub use serve::Server;
pub use tls::Tls;
pub use traces::Traces;

use callers::Callers;
use error::{ApiError, ApiResult};
use limits::{Limits, Places};
use metrics::Metrics;
use model_desk::ModelDesk;
use outbox::{Errand, Outbox};
use resources::live::Rounds;

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
    /// Signs people in who have an account elsewhere.
    oidc: Option<Oidc>,
    /// Takes mail, where the server sends some.
    outbox: Option<Outbox>,
    metrics: Metrics,
    callers: Callers,
    rounds: Rounds,
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
        let oidc = open_oidc(&options)?;
        let outbox = open_outbox(&library, &options, &stopping)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self(Arc::new(Shared {
            library,
            // Half of them: who signs in keeps nobody waiting.
            passwords: Passwords::new(threads.div_ceil(2)),
            limits: Limits::new(options.rates),
            places: Places::default(),
            oidc,
            outbox,
            metrics: Metrics::new(),
            callers: Callers::default(),
            rounds: Rounds::default(),
            models: ModelDesk::default(),
            options,
            set_up: Mutex::new(set_up),
            revoked: broadcast::Sender::new(REVOCATIONS),
            stopping,
            started_at_ms: now_ms(),
        })))
    }

    /// Refuses what goes by mail, where the server sends none.
    fn outbox(&self) -> ApiResult<&Outbox> {
        self.outbox.as_ref().ok_or_else(|| {
            let message = "this server sends no mail; ask its admins";
            ApiError::new(StatusCode::CONFLICT, "no_mail", message)
        })
    }

    /// Tells the owner of an account what was done to it, where the server sends mail.
    fn tell(&self, user: &User, what: &'static str) {
        if let (Some(outbox), Some(email)) = (&self.outbox, &user.email) {
            // What was done was done, whether there is room to say so or not.
            outbox.post(Errand::Tell { email: email.clone(), what }).ok();
        }
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

/// What takes mail. The links in it lead to the public address: where a request says it came to is not to be believed.
fn open_outbox(
    library: &Library,
    options: &ServeOptions,
    stopping: &watch::Receiver<bool>,
) -> LibraryResult<Option<Outbox>> {
    let Some(mail) = &options.mail else { return Ok(None) };
    let Some(public_url) = options.public_url.clone() else {
        let message = "mail needs --public-url, the address that links in it lead to";
        return Err(LibraryError::new(LibraryErrorKind::Invalid, message));
    };
    Ok(Some(Outbox::open(library.clone(), mail.carrier()?, public_url, stopping.clone())))
}

/// What signs in people who have an account elsewhere. Where they come back to is the public address.
fn open_oidc(options: &ServeOptions) -> LibraryResult<Option<Oidc>> {
    let Some(OidcOptions { issuer, client_id, client_secret }) = options.oidc.clone() else {
        return Ok(None);
    };
    let invalid = |message: String| LibraryError::new(LibraryErrorKind::Invalid, message);
    let Some(public_url) = &options.public_url else {
        let message = "signing in elsewhere needs --public-url, the address that browsers come back to";
        return Err(invalid(message.to_owned()));
    };
    let redirect_url = format!("{public_url}{}", resources::OIDC_CALLBACK);
    let config = OidcConfig { issuer, client_id, client_secret, redirect_url };
    Oidc::new(config).map(Some).map_err(|error| invalid(format!("--oidc-issuer: {error}")))
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
