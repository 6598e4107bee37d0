//! One look for all that is open: whether who opened it still may be here.
//!
//! What is revoked in this process is told to the gates at once. What is revoked elsewhere is found by a round, which
//! asks the database the same few questions for one socket and for thousands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sfa_core::library::{Library, LibraryResult, SessionId, TokenId, User, UserId};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::http::App;
use crate::http::auth::Proof;

/// By what somebody was let in. Its name, not its secret, which may have been replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pass {
    Session(SessionId),
    Token(TokenId),
}

impl From<&Proof> for Pass {
    fn from(proof: &Proof) -> Self {
        match proof {
            Proof::Session(session) => Self::Session(session.id),
            Proof::Token(token) => Self::Token(token.id),
        }
    }
}

/// Whom a pass lets in now.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) user: User,
    pub(super) acting_as: Option<UserId>,
}

/// What was asked for, and what was found.
pub(super) type Seen = HashMap<Pass, Option<Standing>>;

/// The passes that something is open for, and what the last round has seen of them.
#[derive(Default)]
pub(in crate::http) struct Rounds {
    open: Mutex<HashMap<Pass, usize>>,
    seen: watch::Sender<Arc<Seen>>,
}

impl Rounds {
    /// Makes rounds until the server stops.
    pub(in crate::http) async fn make(app: App) {
        let mut again = tokio::time::interval(app.options.round_time);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopping = app.stopping.clone();
        loop {
            tokio::select! {
                _ = again.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            let open: Vec<Pass> = app.rounds.open().keys().copied().collect();
            // A database that does not answer now is asked again.
            if !open.is_empty()
                && let Ok(seen) = look(&app.library, &open).await
            {
                app.rounds.seen.send_replace(Arc::new(seen));
            }
        }
    }

    /// What rounds will see, from now on.
    pub(super) fn follow(&self) -> watch::Receiver<Arc<Seen>> {
        self.seen.subscribe()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Pass, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom these let in, if anybody.
pub(super) async fn look(library: &Library, passes: &[Pass]) -> LibraryResult<Seen> {
    let mut seen: Seen = passes.iter().map(|pass| (*pass, None)).collect();
    let (mut sessions, mut tokens) = (Vec::new(), Vec::new());
    for pass in passes {
        match pass {
            Pass::Session(id) => sessions.push(*id),
            Pass::Token(id) => tokens.push(*id),
        }
    }
    if !sessions.is_empty() {
        for (session, user) in library.rows().sessions_still_open(&sessions).await? {
            let standing = Standing { user, acting_as: session.acting_as };
            seen.insert(Pass::Session(session.id), Some(standing));
        }
    }
    if !tokens.is_empty() {
        for (token, user) in library.rows().tokens_still_valid(&tokens).await? {
            seen.insert(Pass::Token(token.id), Some(Standing { user, acting_as: None }));
        }
    }
    Ok(seen)
}

/// Has rounds look at a pass as long as it is kept.
pub(super) struct Entry {
    app: App,
    pub(super) pass: Pass,
}

impl Entry {
    pub(super) fn of(app: App, proof: &Proof) -> Self {
        let pass = Pass::from(proof);
        *app.rounds.open().entry(pass).or_default() += 1;
        Self { app, pass }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.app.rounds.open();
        if let Some(entries) = open.get_mut(&self.pass) {
            *entries -= 1;
            if *entries == 0 {
                open.remove(&self.pass);
            }
        }
    }
}
