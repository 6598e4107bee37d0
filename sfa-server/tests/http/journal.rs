//! The log as it is followed: by whom, and what is not in it.

use std::sync::LazyLock;

use serde_json::{Value, json};
use sfa_core::Studio;
use sfa_core::library::{LibraryConfig, Role, WorkerOptions};
use sfa_core::models::ModelStore;
use sfa_server::http::Journal;
use sfa_server::mail::MailOptions;
use tracing::Dispatch;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};

use crate::house::{Client, House, refused};
use crate::live::Socket;

/// Runs a test whose threads have a log of their own: those of other tests are not in it.
fn logged(test: impl AsyncFnOnce(Journal)) {
    let journal = Journal::default();
    with_log(journal.clone(), async || test(journal).await);
}

/// Runs a test whose threads have this log.
pub(crate) fn with_log(log: impl Layer<Registry> + Send + Sync, test: impl AsyncFnOnce()) {
    // As long as there is one log alone, a line that another test's thread comes to first is never logged by anybody.
    static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));
    LazyLock::force(&ANOTHER);
    let log = tracing_subscriber::registry().with(log).with(LevelFilter::INFO);
    let log = Dispatch::new(log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&log)))
        .build()
        .unwrap();
    runtime.block_on(test());
}

/// Hears until an entry is as wanted, and gives all that were heard.
async fn until(socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut heard = Vec::new();
    loop {
        let told = socket.hear().await.unwrap();
        let entries = match told["type"].as_str() {
            Some("snapshot") => told["data"]["entries"].as_array().unwrap().clone(),
            _ if told["kind"] == "entry" => vec![told["payload"]["entry"].clone()],
            _ => Vec::new(),
        };
        let is_there = entries.iter().any(&wanted);
        heard.extend(entries);
        if is_there {
            return heard;
        }
    }
}

async fn follow(client: &Client, topic: &str) -> Socket {
    let mut socket = Socket::open(client).await.unwrap();
    socket.say(json!({"type": "subscribe", "topic": topic})).await;
    socket
}

#[test]
fn everybody_sees_their_own_requests_and_admins_all() {
    logged(async |journal| {
        let house = House::with(|options| options.journal = journal).await;
        let (ann, ben) = (house.user("ann", Role::User).await, house.user("ben", Role::User).await);
        let boss = house.user("boss", Role::Admin).await;
        let (mut hers, mut all) = (follow(&ann, "debug").await, follow(&boss, "debug").await);
        let his = ben.get("/api/v1/settings").await.header("x-request-id");
        let her_own = ann.get("/api/v1/playlists").await.header("x-request-id");
        let is = |id: &str| {
            let id = id.to_owned();
            move |entry: &Value| entry["fields"]["request_id"] == id.as_str()
        };
        let heard = until(&mut hers, is(&her_own)).await;
        let user = json!(ann.user);
        assert!(heard.iter().all(|entry| entry["fields"]["user_id"] == user), "{heard:?}");
        assert!(!heard.iter().any(is(&his)));
        let last = heard.last().unwrap();
        assert_eq!((&last["message"], &last["level"]), (&json!("answered"), &json!("info")));
        assert_eq!(
            (&last["fields"]["path"], &last["fields"]["status"]),
            (&json!("/api/v1/playlists"), &json!(200))
        );
        until(&mut all, is(&his)).await;

        let mut one = follow(&boss, &format!("debug?level=info&target=sfa_server&request={his}")).await;
        let found = until(&mut one, is(&his)).await;
        assert!(found.iter().all(is(&his)), "{found:?}");
        let mut grave = follow(&boss, "debug?level=error").await;
        let snapshot = grave.hear().await.unwrap();
        let entries = snapshot["data"]["entries"].as_array().unwrap();
        assert!(entries.iter().all(|entry| entry["level"] == "error"), "{entries:?}");
        refused(&ann.get("/api/v1/live/sse?topic=debug%3Fuser%3Dx").await, 422, "invalid");
        // Who was an admin is one no more.
        let root = house.user("root", Role::SuperAdmin).await;
        let path = format!("/api/v1/users/{}", boss.user);
        assert_eq!(root.json("PATCH", &path, json!({"role": "user"})).await.status, 200);
        let closed = loop {
            if let Err(code) = all.hear().await {
                break code;
            }
        };
        assert_eq!(closed, 4403);
    });
}

#[test]
fn a_job_is_followed_by_its_owner() {
    logged(async |journal| {
        let house = House::with(|options| options.journal = journal).await;
        let (ann, ben) = (house.user("ann", Role::Pro).await, house.user("ben", Role::Pro).await);
        let track = house.track(&ann, "a.wav", 9001).await;
        let asked = ann.post(&format!("/api/v1/tracks/{track}/process"), json!({"from": "analyze"})).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        let job = ann.get("/api/v1/jobs").await.data()[0]["id"].as_str().unwrap().to_owned();
        let mut hers = follow(&ann, &format!("debug?job={job}")).await;
        let mut his = follow(&ben, "debug").await;
        let worker = house.library.start_worker(WorkerOptions::default()).await.unwrap();
        let heard = until(&mut hers, |entry| entry["message"] == "done").await;
        assert!(heard.iter().all(|entry| entry["fields"]["job_id"] == job.as_str()), "{heard:?}");
        let mark = ben.get("/api/v1/jobs").await.header("x-request-id");
        let heard = until(&mut his, |entry| entry["fields"]["request_id"] == mark.as_str()).await;
        assert!(!heard.iter().any(|entry| entry["fields"]["job_id"] == job.as_str()), "{heard:?}");
        worker.shutdown(std::time::Duration::from_secs(1)).await;

        let timeline = ann.get(&format!("/api/v1/jobs/{job}/timeline")).await.data();
        let kinds: Vec<&str> =
            timeline.as_array().unwrap().iter().filter_map(|moment| moment["kind"].as_str()).collect();
        assert_eq!((kinds.first(), kinds.last()), (Some(&"queued"), Some(&"completed")), "{timeline}");
        assert!(kinds.contains(&"started"), "{timeline}");
        refused(&ben.get(&format!("/api/v1/jobs/{job}/timeline")).await, 404, "not_found");
    });
}

#[test]
fn what_a_worker_elsewhere_logs_is_followed_too() {
    // The server is on threads without a log: what is in its journal it was told.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (house, ann, job) = runtime.block_on(async {
        let house = House::open().await;
        let ann = house.user("ann", Role::Pro).await;
        let track = house.track(&ann, "a.wav", 9001).await;
        ann.post(&format!("/api/v1/tracks/{track}/process"), json!({"from": "analyze"})).await;
        let job = ann.get("/api/v1/jobs").await.data()[0]["id"].as_str().unwrap().to_owned();
        (house, ann, job)
    });
    let elsewhere = Journal::default();
    with_log(elsewhere.clone(), async || {
        let studio = Studio::with_models(ModelStore::at("/nowhere"));
        let library = studio.open(LibraryConfig::in_folder(house.desk.path("data"))).await.unwrap();
        let mut hers = follow(&ann, &format!("debug?job={job}")).await;
        let telling = tokio::spawn(elsewhere.tell(library.clone()));
        let worker = library.start_worker(WorkerOptions::default()).await.unwrap();
        let heard = until(&mut hers, |entry| entry["message"] == "done").await;
        assert!(heard.iter().all(|entry| entry["fields"]["job_id"] == job.as_str()), "{heard:?}");
        assert_eq!(heard.last().unwrap()["target"], "sfa_core::library::worker");
        worker.shutdown(std::time::Duration::from_secs(1)).await;
        telling.abort();
    });
}

#[test]
fn no_secret_is_in_it() {
    logged(async |journal| {
        let house = House::with(|options| {
            options.journal = journal;
            options.public_url = Some("http://songs.example.org".to_owned());
            // Letters with links in them, into the log.
            let (url, from) = ("log:".to_owned(), "studio@example.org".to_owned());
            options.mail = Some(MailOptions { url, from });
        })
        .await;
        let boss = house.user("boss", Role::SuperAdmin).await;
        let mut socket = follow(&boss, "debug").await;
        let login = json!({"email": "boss@example.org", "password": "canary canary canary"});
        assert_eq!(boss.post("/api/v1/login", login).await.status, 401);
        assert_eq!(boss.post("/api/v1/login/mail", json!({"email": "boss@example.org"})).await.status, 202);
        let made = boss.post("/api/v1/tokens", json!({"label": "x", "scopes": ["read"]})).await;
        let token = made.data()["secret"].as_str().unwrap().to_owned();
        house
            .anybody()
            .with("authorization", &format!("Bearer {token}"))
            .get("/api/v1/me?secret=canary")
            .await;
        let mark = boss.get("/api/v1/jobs").await.header("x-request-id");
        let heard = until(&mut socket, |entry| entry["fields"]["request_id"] == mark.as_str()).await;
        let text = json!(heard).to_string();
        assert!(!text.contains("canary") && !text.contains(&token) && !text.contains("mail: "), "{text}");
    });
}
