//! How long a caller may stay.

use std::time::Duration;

use sfa_core::library::{LibraryErrorKind, Scope, UserId, UserStatus};
use tokio::sync::{broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior};

use crate::http::auth::{Caller, Proof};
use crate::http::error::ApiResult;
use crate::http::rights::Right;
use crate::http::{App, now_ms};

/// What is revoked on another node is found after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
const STOPPING: Reason = Reason { code: 1001, text: "the server is stopping" };
const REVOKED: Reason = Reason { code: 4401, text: "not signed in any more" };
const NOT_ALLOWED: Reason = Reason { code: 4403, text: "something that is followed is not allowed any more" };

/// Why a connection is closed: a code of WebSockets, and a word for people.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reason {
    pub(super) code: u16,
    pub(super) text: &'static str,
}

/// Watches whether a caller still has what it had when it came.
pub(super) struct Gate {
    app: App,
    caller: Caller,
    revoked: broadcast::Receiver<UserId>,
    stopping: watch::Receiver<bool>,
    again: Interval,
    /// What is needed for all that is followed.
    rights: Vec<Right>,
}

impl Gate {
    pub(super) fn new(app: App, caller: Caller) -> Self {
        let mut again = tokio::time::interval(LOOK_AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (revoked, stopping) = (app.revoked.subscribe(), app.stopping.clone());
        Self { app, caller, revoked, stopping, again, rights: vec![Right::Read] }
    }

    /// From now on the caller has to have this right too.
    pub(super) fn need(&mut self, right: Right) {
        if !self.rights.contains(&right) {
            self.rights.push(right);
        }
    }

    /// Returns when the caller has to go.
    pub(super) async fn shut(&mut self) -> Reason {
        loop {
            tokio::select! {
                _ = self.stopping.wait_for(|stopping| *stopping) => return STOPPING,
                // Who missed some may have missed its own.
                revoked = self.revoked.recv() => {
                    if revoked.is_ok_and(|user| user != self.caller.user.id) {
                        continue;
                    }
                }
                _ = self.again.tick() => {}
            }
            // A database that does not answer now is asked again.
            if let Ok(Some(reason)) = self.objection().await {
                return reason;
            }
        }
    }

    /// Why the caller may not stay, if so. By the names of session and token, not by their secrets, which may have been
    /// replaced.
    async fn objection(&self) -> ApiResult<Option<Reason>> {
        let rows = self.app.library.rows();
        let scope = self.caller.scope();
        let user = match rows.user(scope.user).await {
            Ok(user) => user,
            Err(error) if error.kind() == LibraryErrorKind::NotFound => return Ok(Some(REVOKED)),
            Err(error) => return Err(error.into()),
        };
        if user.status != UserStatus::Active || !Right::Read.is_of(user.role) {
            return Ok(Some(REVOKED));
        }
        if !self.rights.iter().all(|right| right.is_of(user.role)) {
            return Ok(Some(NOT_ALLOWED));
        }
        let is_let_in = match &*self.caller.proof {
            Proof::Session(own) => rows
                .sessions(Scope::of(own.user))
                .await?
                .iter()
                .any(|session| session.id == own.id && session.acting_as == own.acting_as),
            Proof::Token(own) => rows
                .tokens(scope)
                .await?
                .iter()
                .any(|token| token.id == own.id && token.expires_at_ms.is_none_or(|end| end > now_ms())),
        };
        Ok((!is_let_in).then_some(REVOKED))
    }
}
