//! What workers log that are processes of their own, for those who follow the log of a server.
//!
//! A worker tells what it has logged through the database, once a second at most; servers take it into their journals.

use std::time::Duration;

use serde_json::json;
use sfa_core::library::{Change, Follower, Library, LibraryResult, Scope, Topic};
use tokio::sync::watch;

use super::journal::{Entry, Journal};

/// Entries are told together that come within this time of each other.
const GATHERING: Duration = Duration::from_secs(1);
/// Entries that are told at once; others of the same moment are not.
const AT_ONCE: usize = 200;
const ASKED_AGAIN: Duration = Duration::from_secs(5);

impl Journal {
    /// Tells the servers that share the library what is logged here, for as long as this is waited for.
    pub async fn tell(self, library: Library) {
        let (_, mut following) = self.follow();
        loop {
            let mut entries = Vec::new();
            // What went by too fast is in the log of the process itself.
            entries.extend(following.next().await.ok());
            let until = tokio::time::Instant::now() + GATHERING;
            while let Ok(next) = tokio::time::timeout_at(until, following.next()).await {
                entries.extend(next.ok().filter(|_| entries.len() < AT_ONCE));
            }
            let entries: Vec<&Entry> = entries.iter().map(|entry| &**entry).collect();
            // Nobody waits for it: what a database does not take now is not told.
            library.apply(Scope::LOCAL, vec![Change::Log(json!({"entries": entries}))]).await.ok();
        }
    }

    /// Takes in what workers elsewhere tell, until the server stops.
    pub(super) async fn hear(self, library: Library, mut stopping: watch::Receiver<bool>) {
        let hearing = async {
            loop {
                self.take_in(&library).await.ok();
                tokio::time::sleep(ASKED_AGAIN).await;
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => {}
            () = hearing => {}
        }
    }

    /// Returns when the database does not answer.
    async fn take_in(&self, library: &Library) -> LibraryResult<()> {
        let last = library.rows().last_seq(Scope::LOCAL, &Topic::Log.name()).await?;
        let mut told: Follower = library.follow(Scope::LOCAL, Topic::Log, last);
        loop {
            let event = told.next().await?;
            for entry in event.payload["entries"].as_array().into_iter().flatten() {
                // One of another version may be written otherwise.
                if let Ok(entry) = serde_json::from_value(entry.clone()) {
                    self.add(entry);
                }
            }
        }
    }
}
