//! Telling whoever listens in this process.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::{Database, Event, LibraryResult, Scope, Topic};

/// Events that a slow listener may be behind before it has to catch up from the log.
const BUFFERED: usize = 1024;
/// How often the log is read although nothing was heard: what happens on other nodes is found there.
const POLL: Duration = Duration::from_secs(1);

/// Wakes listeners. The log in the database is the truth; what is missed here is found there.
#[derive(Debug, Clone)]
pub(crate) struct Bus {
    sender: broadcast::Sender<String>,
}

impl Bus {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::Sender::new(BUFFERED) }
    }

    /// Says that these have happened.
    pub(crate) fn publish(&self, events: &[Event]) {
        for event in events {
            // Nobody listening is no fault.
            self.sender.send(event.topic.clone()).ok();
        }
    }

    pub(crate) fn follow(
        &self,
        database: Arc<dyn Database>,
        scope: Scope,
        topic: Topic,
        after: i64,
    ) -> Follower {
        Follower {
            database,
            scope,
            topic: topic.name(),
            seq: after,
            heard: self.sender.subscribe(),
            pending: VecDeque::new(),
        }
    }
}

/// The events of one topic, each once and in order, from the log and then as they happen.
pub struct Follower {
    database: Arc<dyn Database>,
    scope: Scope,
    topic: String,
    seq: i64,
    heard: broadcast::Receiver<String>,
    pending: VecDeque<Event>,
}

impl Follower {
    /// Waits for the next event.
    ///
    /// # Errors
    /// `Database` when the log cannot be read; the call may be repeated.
    pub async fn next(&mut self) -> LibraryResult<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                self.seq = event.seq;
                return Ok(event);
            }
            self.pending.extend(self.database.events(self.scope, &self.topic, self.seq).await?);
            if self.pending.is_empty() {
                self.listen().await;
            }
        }
    }

    /// Returns when there may be news.
    async fn listen(&mut self) {
        let news = async {
            loop {
                match self.heard.recv().await {
                    Ok(topic) if topic != self.topic => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::time::timeout(POLL, news).await.ok();
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("topic", &self.topic).field("seq", &self.seq).finish_non_exhaustive()
    }
}
