//! What happens in other processes that share the library.
//!
//! The database says so where it can. It is looked at every now and then as well, so that nothing is lost while it
//! cannot: one look for everything that is followed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

use super::bus::Bus;
use super::{Database, LibraryResult, Reached, Scope};

/// How often the database is looked at although it said nothing.
const LOOK: Duration = Duration::from_secs(10);
/// Other processes are told at most so often: with PostgreSQL, all who commit wait for whoever announces.
const ANNOUNCED: Duration = Duration::from_millis(20);
/// News on their way.
const QUEUED: usize = 64;

/// What other processes have said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// There are jobs to do, or to stop.
    Jobs,
    /// Topics have come this far.
    Topics(Vec<Reached>),
    /// Something has happened.
    Something,
}

/// Looks out as long as it is there.
pub(crate) struct Lookout(Vec<AbortHandle>);

impl Lookout {
    /// Begins on the current runtime.
    pub(crate) fn begin(bus: &Bus, database: &Arc<dyn Database>, wake: &Arc<Notify>) -> Self {
        let (sender, news) = mpsc::channel(QUEUED);
        database.listen(sender);
        let hearing = hear(bus.clone(), Arc::clone(database), Arc::clone(wake), news);
        let telling = tell(bus.clone(), Arc::clone(database));
        Self(vec![tokio::spawn(hearing).abort_handle(), tokio::spawn(telling).abort_handle()])
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

async fn tell(bus: Bus, database: Arc<dyn Database>) {
    loop {
        let topics = bus.untold().await;
        // Who is not told looks.
        database.announce(&topics).await.ok();
        tokio::time::sleep(ANNOUNCED).await;
    }
}

async fn hear(bus: Bus, database: Arc<dyn Database>, wake: Arc<Notify>, mut news: mpsc::Receiver<News>) {
    loop {
        let heard = tokio::time::timeout(LOOK, news.recv()).await;
        // A database that does not answer is asked again at the next look.
        match heard {
            Ok(Some(News::Jobs)) => wake.notify_one(),
            Ok(Some(News::Topics(topics))) => {
                catch_up(&bus, &*database, topics).await.ok();
            }
            Ok(Some(News::Something)) | Err(_) => {
                look(&bus, &*database).await.ok();
            }
            // Nobody says anything any more.
            Ok(None) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Finds out which of the followed topics have news, by one query.
async fn look(bus: &Bus, database: &dyn Database) -> LibraryResult<()> {
    let followed = bus.followed();
    if followed.is_empty() {
        return Ok(());
    }
    bus.note_read();
    let names: Vec<&str> = followed.iter().map(|(_, topic)| topic.as_str()).collect();
    let numbers: HashMap<String, i64> = database.last_seqs(&names).await?.into_iter().collect();
    let reached = followed.into_iter().filter_map(|(user, topic)| {
        let seq = *numbers.get(&topic)?;
        Some(Reached { user, topic, seq })
    });
    catch_up(bus, database, reached.collect()).await
}

/// Reads what has happened to those topics that are followed and further than is known here.
async fn catch_up(bus: &Bus, database: &dyn Database, topics: Vec<Reached>) -> LibraryResult<()> {
    for Reached { user, topic, seq } in bus.behind(topics) {
        bus.note_read();
        let events = database.events(Scope::of(user), &topic, seq).await?;
        bus.hand_out(events.into_iter().map(Arc::new));
    }
    Ok(())
}
