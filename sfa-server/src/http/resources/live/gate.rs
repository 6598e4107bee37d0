//! How long a caller may stay.

use std::sync::Arc;

use sfa_core::library::{LibraryResult, UserId};
use tokio::sync::{broadcast, watch};

use super::rounds::{self, Entry, Seen, Standing};
use crate::http::App;
use crate::http::auth::{Caller, Proof};
use crate::http::rights::Right;

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
    entry: Entry,
    /// What this process revokes.
    revoked: broadcast::Receiver<UserId>,
    /// What rounds see, of what others revoke.
    seen: watch::Receiver<Arc<Seen>>,
    stopping: watch::Receiver<bool>,
    /// Whether to ask about this caller alone; stays until there was an answer.
    must_ask: bool,
    /// What is needed for all that is followed.
    rights: Vec<Right>,
}

impl Gate {
    pub(super) fn new(app: App, caller: Caller) -> Self {
        let entry = Entry::of(app.clone(), &caller.proof);
        let (revoked, stopping, seen) = (app.revoked.subscribe(), app.stopping.clone(), app.rounds.follow());
        // What was revoked on the way here nobody has told.
        Self { app, caller, entry, revoked, seen, stopping, must_ask: true, rights: vec![Right::Read] }
    }

    /// From now on the caller has to have this right too.
    pub(super) fn need(&mut self, right: Right) {
        if !self.rights.contains(&right) {
            self.rights.push(right);
        }
    }

    /// Returns when the caller has to go. A wait that is given up forgets nothing.
    pub(super) async fn shut(&mut self) -> Reason {
        loop {
            if self.must_ask {
                // A database that does not answer now is asked by the next round.
                let objection = self.ask().await.unwrap_or_default();
                self.must_ask = false;
                if let Some(reason) = objection {
                    return reason;
                }
            }
            let seen = tokio::select! {
                _ = self.stopping.wait_for(|stopping| *stopping) => return STOPPING,
                revoked = self.revoked.recv() => {
                    let own = [self.caller.user.id, self.caller.owner()];
                    // Who missed some may have missed its own.
                    self.must_ask = revoked.map_or(true, |user| own.contains(&user));
                    continue;
                }
                _ = self.seen.changed() => Arc::clone(&self.seen.borrow_and_update()),
            };
            // A round that began before this was opened says nothing about it.
            if let Some(standing) = seen.get(&self.entry.pass)
                && let Some(reason) = self.objection(standing.as_ref())
            {
                return reason;
            }
        }
    }

    async fn ask(&self) -> LibraryResult<Option<Reason>> {
        let seen = rounds::look(&self.app.library, &[self.entry.pass]).await?;
        Ok(self.objection(seen.get(&self.entry.pass).and_then(Option::as_ref)))
    }

    /// Why the caller may not stay, if so, as its pass stands now.
    fn objection(&self, standing: Option<&Standing>) -> Option<Reason> {
        let acting_as = match &*self.caller.proof {
            Proof::Session(session) => session.acting_as,
            Proof::Token(_) => None,
        };
        let Some(standing) = standing.filter(|standing| standing.acting_as == acting_as) else {
            return Some(REVOKED);
        };
        let role = standing.user.role;
        if !Right::Read.is_of(role) {
            return Some(REVOKED);
        }
        (!self.rights.iter().all(|right| right.is_of(role))).then_some(NOT_ALLOWED)
    }
}
