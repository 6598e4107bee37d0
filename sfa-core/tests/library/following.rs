//! What happens in one process is heard in another, and costs nothing while nothing happens.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use sfa_core::Studio;
use sfa_core::library::{
    Change, Library, LibraryConfig, News, PostgresStore, Reached, Scope, SqliteStore, Store as _, Topic,
    TrackEdit, TrackId, UserId,
};
use sfa_core::models::ModelStore;
use tokio::sync::mpsc;

use crate::{Desk, job, new_track, postgres};

/// Long enough for a busy machine; what is awaited comes long before.
const PATIENCE: Duration = Duration::from_secs(60);
const ME: Scope = Scope::LOCAL;

async fn open(folder: &Path, url: Option<&str>) -> Library {
    let mut config = LibraryConfig::in_folder(folder);
    config.database_url = url.map(str::to_owned);
    Studio::with_models(ModelStore::at("/nowhere")).open(config).await.unwrap()
}

async fn add_track(library: &Library, title: &str) -> TrackId {
    let track = new_track(title);
    let id = track.id;
    library.apply(ME, vec![Change::AddTrack(track)]).await.unwrap();
    id
}

async fn edit(library: &Library, track: TrackId) {
    library.apply(ME, vec![Change::EditTrack(track, TrackEdit::default())]).await.unwrap();
}

async fn within<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, waiting).await.expect("something comes")
}

/// Follows a thousand topics in one process while things happen in it and in another.
async fn follow_many(here: &Library, there: &Library) {
    let tracks = [add_track(here, "a").await, add_track(here, "b").await];
    let strangers = std::iter::repeat_with(TrackId::random).take(998);
    let (sender, mut heard) = mpsc::unbounded_channel();
    for track in tracks.into_iter().chain(strangers) {
        let mut events = here.follow(ME, Topic::Track(track), 0);
        let sender = sender.clone();
        tokio::spawn(async move {
            while let Ok(event) = events.next().await {
                sender.send((event.topic.clone(), event.seq, event.kind.clone())).unwrap();
            }
        });
    }
    // Each begins by reading its log.
    while here.listening().reads < 1000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(here.listening().topics, 1000);
    let before = here.listening().reads;
    for round in 1..=10 {
        for (who, track) in [here, there].into_iter().zip(tracks) {
            edit(who, track).await;
            let told = within(heard.recv()).await.unwrap();
            assert_eq!(told, (Topic::Track(track).name(), round, "track.edited".to_owned()));
        }
    }
    // One look for all of them and one log now and then; what happened here needed neither.
    let reads = here.listening().reads - before;
    assert!(reads < 100, "{reads} reads for 20 events");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_followed_from_another_process() {
    let desk = tempfile::tempdir().unwrap();
    let (here, there) = (open(desk.path(), None).await, open(desk.path(), None).await);
    follow_many(&here, &there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_followed_from_another_node() {
    let Some(server) = postgres::Server::start() else {
        eprintln!("skipped: there is no PostgreSQL here");
        return;
    };
    server.create("library");
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = server.url("library");
    let (here, there) = (open(one.path(), Some(&url)).await, open(other.path(), Some(&url)).await);
    follow_many(&here, &there).await;
}

/// Returns once a store listens: it says that anything may have happened before.
async fn begun(news: &mut mpsc::Receiver<News>) {
    assert_eq!(within(news.recv()).await, Some(News::Jobs));
    assert_eq!(within(news.recv()).await, Some(News::Something));
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_tells_other_nodes() {
    let Some(server) = postgres::Server::start() else {
        eprintln!("skipped: there is no PostgreSQL here");
        return;
    };
    let here = Desk::over(server.database().await).await;
    let there = PostgresStore::open(&server.url("library")).await.unwrap();
    let (sender, mut news) = mpsc::channel(8);
    there.listen(sender);
    begun(&mut news).await;
    here.enqueue(here.ann, job()).await;
    assert_eq!(within(news.recv()).await, Some(News::Jobs));
    let reached = vec![Reached { user: UserId::random(), topic: "track:x".to_owned(), seq: 7 }];
    here.database.announce(&reached).await.unwrap();
    assert_eq!(within(news.recv()).await, Some(News::Topics(reached.clone())));
    // Who was not connected for a while is told that anything may have happened.
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen %'";
    server.execute("library", cut);
    begun(&mut news).await;
    here.database.announce(&reached).await.unwrap();
    assert_eq!(within(news.recv()).await, Some(News::Topics(reached)));
    // More than fits into one announcement.
    let many: Vec<Reached> = (0..200)
        .map(|seq| Reached { user: UserId::random(), topic: Topic::Track(TrackId::random()).name(), seq })
        .collect();
    here.database.announce(&many).await.unwrap();
    let mut heard = Vec::new();
    while heard.len() < many.len() {
        let Some(News::Topics(part)) = within(news.recv()).await else { panic!("topics") };
        heard.extend(part);
    }
    assert_eq!(heard, many);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_arrives_although_nobody_told() {
    let Some(server) = postgres::Server::start() else {
        eprintln!("skipped: there is no PostgreSQL here");
        return;
    };
    server.create("library");
    let desk = tempfile::tempdir().unwrap();
    let url = server.url("library");
    let here = open(desk.path(), Some(&url)).await;
    let id = add_track(&here, "a").await;
    let mut events = here.follow(ME, Topic::Track(id), 0);
    edit(&here, id).await;
    assert_eq!(within(events.next()).await.unwrap().seq, 1);
    // A store alone tells nobody: only a look finds what it has written.
    let there = PostgresStore::open(&url).await.unwrap();
    there.apply(ME, vec![Change::EditTrack(id, TrackEdit::default())]).await.unwrap();
    assert_eq!(within(events.next()).await.unwrap().seq, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_says_that_somebody_else_has_written() {
    let desk = tempfile::tempdir().unwrap();
    let path = desk.path().join("library.sqlite");
    let (here, there) = (SqliteStore::open(&path).await.unwrap(), SqliteStore::open(&path).await.unwrap());
    let (sender, mut news) = mpsc::channel(8);
    here.listen(sender);
    assert_eq!(within(news.recv()).await, Some(News::Something), "what was before");
    there.apply(ME, vec![Change::AddTrack(new_track("a"))]).await.unwrap();
    assert_eq!(within(news.recv()).await, Some(News::Something));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_is_told_whole_rows() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(desk.path(), None).await;
    let id = add_track(&library, "a").await;
    let last = library.rows().last_seq(ME, &Topic::Library(ME.user).name()).await.unwrap();
    let mut events = library.follow(ME, Topic::Library(ME.user), last);
    let change = Change::Enqueue(job().track(id));
    let enqueued = library.apply(ME, vec![change]).await.unwrap().enqueued[0].id();
    let told = within(events.next()).await.unwrap();
    assert_eq!((told.kind.as_str(), &told.payload["tracks"][0]["id"]), ("tracks", &json!(id)));
    assert_eq!(told.payload["tracks"], json!([library.rows().track(ME, id).await.unwrap()]));
    let told = within(events.next()).await.unwrap();
    assert_eq!((told.kind.as_str(), &told.payload["jobs"][0]["id"]), ("jobs", &json!(enqueued)));
    assert_eq!(told.payload["jobs"], json!([library.rows().job(ME, enqueued).await.unwrap()]));
    // A hundred at once are two events of each kind, and nothing is told twice.
    let mut changes = Vec::new();
    for number in 0..100 {
        let track = new_track(&format!("many {number}"));
        let id = track.id;
        changes.extend([Change::AddTrack(track), Change::Enqueue(job().track(id))]);
    }
    library.apply(ME, changes).await.unwrap();
    let mut kinds = Vec::new();
    for _ in 0..104 {
        kinds.push(within(events.next()).await.unwrap().kind.clone());
    }
    kinds.dedup();
    assert_eq!(kinds, ["track.added", "tracks", "jobs"]);
}
