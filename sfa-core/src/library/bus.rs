//! Telling whoever listens in this process.
//!
//! What happens here is handed to its listeners. What happens elsewhere the lookout finds, with one look for all of
//! them. The log in the database is the truth: where something is missing in between, a listener reads it there.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::lookout::Lookout;
use super::{Database, Event, LibraryResult, Reached, Scope, Topic, UserId};

/// The newest events of a followed topic that are kept for its listeners; who is further behind reads the log.
const KEPT: usize = 32;

/// What is followed in this process, and what is to be told to others. Clones are the same.
#[derive(Clone)]
pub(crate) struct Bus {
    hub: Arc<Hub>,
    /// At work as long as somebody needs it; it works with a clone that has none.
    _lookout: Option<Arc<Lookout>>,
}

#[derive(Default)]
struct Hub {
    followed: Mutex<HashMap<Followed, watch::Sender<Recent>>>,
    /// How far topics have come of which other processes were not told yet.
    untold: Mutex<HashMap<Followed, i64>>,
    has_untold: Notify,
    reads: AtomicU64,
}

/// Whose topic, and which.
type Followed = (UserId, String);

/// The end of a topic's log, as far as it is known here.
#[derive(Debug, Default)]
struct Recent {
    /// In order of their numbers, some of which may be missing.
    events: VecDeque<Arc<Event>>,
    /// The number of the last one, whether it is here or not.
    newest: i64,
}

impl Recent {
    /// Takes an event in, and says whether it is new here.
    fn add(&mut self, event: &Arc<Event>) -> bool {
        let place = self.events.partition_point(|known| known.seq < event.seq);
        if self.events.get(place).is_some_and(|known| known.seq == event.seq) {
            return false;
        }
        self.events.insert(place, Arc::clone(event));
        if self.events.len() > KEPT {
            self.events.pop_front();
        }
        self.newest = self.newest.max(event.seq);
        true
    }

    /// All that came after number `seq`, or nothing where one of them is missing.
    fn after(&self, seq: i64) -> VecDeque<Arc<Event>> {
        let place = self.events.partition_point(|known| known.seq <= seq);
        let rest = self.events.range(place..);
        if rest.clone().zip(seq + 1..).all(|(event, expected)| event.seq == expected) {
            rest.cloned().collect()
        } else {
            VecDeque::new()
        }
    }
}

/// What the listeners of this process cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// Topics that are followed.
    pub topics: usize,
    /// How often the database was asked for events since the library was opened, for one topic or for all.
    pub reads: u64,
}

impl Bus {
    /// A bus that also tells and hears other processes that share the database; `wake` is woken for their jobs.
    pub(crate) fn start(database: &Arc<dyn Database>, wake: &Arc<Notify>) -> Self {
        let alone = Self { hub: Arc::default(), _lookout: None };
        let lookout = Lookout::begin(&alone, database, wake);
        Self { _lookout: Some(Arc::new(lookout)), ..alone }
    }

    /// Says that these have happened: here at once, and to other processes soon.
    pub(crate) fn publish(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let mut untold = lock(&self.hub.untold);
        for event in events {
            let newest = untold.entry((event.user, event.topic.clone())).or_default();
            *newest = event.seq.max(*newest);
        }
        drop(untold);
        self.hub.has_untold.notify_one();
        self.hand_out(events.iter().cloned().map(Arc::new));
    }

    /// Gives events to those who follow their topics here.
    pub(crate) fn hand_out(&self, events: impl Iterator<Item = Arc<Event>>) {
        let followed = lock(&self.hub.followed);
        if followed.is_empty() {
            return;
        }
        for event in events {
            if let Some(recent) = followed.get(&(event.user, event.topic.clone())) {
                recent.send_if_modified(|recent| recent.add(&event));
            }
        }
    }

    /// Waits until there is something to tell, and takes it.
    pub(crate) async fn untold(&self) -> Vec<Reached> {
        loop {
            let untold = std::mem::take(&mut *lock(&self.hub.untold));
            if !untold.is_empty() {
                return untold.into_iter().map(|((user, topic), seq)| Reached { user, topic, seq }).collect();
            }
            self.hub.has_untold.notified().await;
        }
    }

    /// Every followed topic.
    pub(crate) fn followed(&self) -> Vec<(UserId, String)> {
        lock(&self.hub.followed).keys().cloned().collect()
    }

    /// Those that are followed and known less far, and how far.
    pub(crate) fn behind(&self, topics: Vec<Reached>) -> Vec<Reached> {
        let followed = lock(&self.hub.followed);
        let behind = topics.into_iter().filter_map(|Reached { user, topic, seq }| {
            let name = (user, topic);
            let known = followed.get(&name)?.borrow().newest;
            (known < seq).then_some(Reached { user, topic: name.1, seq: known })
        });
        behind.collect()
    }

    pub(crate) fn note_read(&self) {
        self.hub.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn listening(&self) -> Listening {
        Listening { topics: lock(&self.hub.followed).len(), reads: self.hub.reads.load(Ordering::Relaxed) }
    }

    pub(crate) fn follow(
        &self,
        database: Arc<dyn Database>,
        scope: Scope,
        topic: Topic,
        after: i64,
    ) -> Follower {
        let name = (scope.user, topic.name());
        let recent = {
            let mut followed = lock(&self.hub.followed);
            let recent = followed.entry(name.clone()).or_default();
            recent.send_if_modified(|recent| {
                recent.newest = recent.newest.max(after);
                false
            });
            recent.subscribe()
        };
        Follower {
            bus: self.clone(),
            database,
            name,
            recent,
            seq: after,
            must_read: true,
            pending: VecDeque::new(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The events of one topic, each once and in order, from the log and then as they happen.
pub struct Follower {
    bus: Bus,
    database: Arc<dyn Database>,
    name: Followed,
    recent: watch::Receiver<Recent>,
    /// The last one that was given out.
    seq: i64,
    /// Whether the log may have what is not known here.
    must_read: bool,
    pending: VecDeque<Arc<Event>>,
}

impl Follower {
    /// Waits for the next event. A wait that is given up loses nothing.
    ///
    /// # Errors
    /// `Database` when the log cannot be read; the call may be repeated.
    pub async fn next(&mut self) -> LibraryResult<Arc<Event>> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                self.seq = event.seq;
                return Ok(event);
            }
            if !self.must_read {
                let recent = self.recent.borrow_and_update();
                self.pending = recent.after(self.seq);
                self.must_read = self.pending.is_empty() && recent.newest > self.seq;
            }
            if self.must_read {
                self.read().await?;
            }
            if self.pending.is_empty() {
                // The sender goes with the last follower, which is at the earliest this one.
                self.recent.changed().await.ok();
            }
        }
    }

    /// Reads the log, and shares what is found: others who follow the topic may not know it yet.
    async fn read(&mut self) -> LibraryResult<()> {
        self.bus.note_read();
        let (user, topic) = &self.name;
        let events = self.database.events(Scope::of(*user), topic, self.seq).await?;
        self.pending = events.into_iter().map(Arc::new).collect();
        // There are at most so many in an answer; the end was reached when there is none.
        self.must_read = self.pending.len() > KEPT;
        self.bus.hand_out(self.pending.iter().rev().take(KEPT).rev().cloned());
        Ok(())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut followed = lock(&self.bus.hub.followed);
        if followed.get(&self.name).is_some_and(|recent| recent.receiver_count() <= 1) {
            followed.remove(&self.name);
        }
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower")
            .field("topic", &self.name.1)
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: i64) -> Arc<Event> {
        let payload = serde_json::Value::Null;
        let (topic, kind) = ("a".to_owned(), "b".to_owned());
        Arc::new(Event { topic, seq, user: UserId::LOCAL, kind, payload })
    }

    fn after(recent: &Recent, seq: i64) -> Vec<i64> {
        recent.after(seq).iter().map(|event| event.seq).collect()
    }

    #[test]
    fn events_are_in_order_whatever_order_they_come_in() {
        let mut recent = Recent::default();
        assert!(recent.add(&event(3)) && recent.add(&event(5)));
        assert_eq!((after(&recent, 2), recent.newest), (vec![], 5), "number 4 is missing: the log has it");
        assert!(recent.add(&event(4)) && !recent.add(&event(4)));
        assert_eq!((after(&recent, 2), after(&recent, 4)), (vec![3, 4, 5], vec![5]));
        assert_eq!((after(&recent, 5), after(&recent, 0)), (vec![], vec![]));
    }

    #[test]
    fn only_the_newest_are_kept() {
        let mut recent = Recent::default();
        (1..=100).for_each(|seq| assert!(recent.add(&event(seq))));
        assert_eq!((recent.events.len(), recent.newest), (KEPT, 100));
        assert_eq!(after(&recent, 0), Vec::<i64>::new());
        assert_eq!(after(&recent, 98), [99, 100]);
    }
}
