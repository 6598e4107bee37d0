//! Who was let in a moment ago: what a session or a token opens is not asked of the database for every request.
//!
//! Whatever changes an account, a session or a token through this process is seen at once; what another process does,
//! after [`KEPT`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sfa_core::library::{SecretHash, User};

use super::App;
use super::auth::{Credentials, Proof};
use super::error::ApiResult;

const KEPT: Duration = Duration::from_secs(1);
/// Callers that are remembered before those of a moment ago are forgotten.
const FORGET_AT: usize = 10_000;

/// A kind of secret, and the hash of one.
type Name = (&'static str, SecretHash);

#[derive(Default)]
pub(super) struct Callers(Mutex<HashMap<Name, Known>>);

struct Known {
    proof: Arc<Proof>,
    user: Arc<User>,
    at: Instant,
    /// How often accounts had changed when it was asked.
    changes: u64,
}

impl Callers {
    /// Whose these credentials are, if they are still valid.
    pub(super) async fn of(
        &self,
        credentials: &Credentials,
        app: &App,
    ) -> ApiResult<(Arc<Proof>, Arc<User>)> {
        let name = match credentials {
            Credentials::Cookie(secret) => ("cookie", secret.hash()),
            Credentials::Bearer(secret) => ("bearer", secret.hash()),
        };
        let changes = app.library.rows().account_changes();
        let known = {
            let callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let known = callers.get(&name);
            let known = known.filter(|known| known.changes == changes && known.at.elapsed() < KEPT);
            known.map(|known| (Arc::clone(&known.proof), Arc::clone(&known.user)))
        };
        if let Some(known) = known {
            return Ok(known);
        }
        // What changes from here on is not in the answer, or makes it an old one.
        let (proof, user) = credentials.look_up(app).await?;
        let (proof, user) = (Arc::new(proof), Arc::new(user));
        let mut callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= FORGET_AT {
            callers.retain(|_, known| known.changes == changes && known.at.elapsed() < KEPT);
        }
        let known = Known { proof: Arc::clone(&proof), user: Arc::clone(&user), at: Instant::now(), changes };
        callers.insert(name, known);
        Ok((proof, user))
    }
}
