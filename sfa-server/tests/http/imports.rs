//! Songs by their address.

use std::time::Duration;

use serde_json::json;
use sfa_core::library::{Role, WorkerOptions};

use crate::house::{Client, House, refused, text};
use crate::web::{Reply, Server, file, not_found};

/// A house that fetches from this machine too.
async fn house() -> House {
    House::on(|options| options.most_upload_bytes = 1 << 20, |config| config.private_addresses(true)).await
}

/// Imports from an address and waits for what becomes of it.
async fn imported(house: &House, client: &Client, url: &str) -> serde_json::Value {
    let asked = client.post("/api/v1/tracks/import", json!({"url": url})).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let mut options = WorkerOptions::default();
    options.poll = Duration::from_millis(50);
    let worker = house.library.start_worker(options.clone()).await.unwrap();
    house.library.drained(&options).await.unwrap();
    worker.shutdown(Duration::ZERO).await;
    client.get(&format!("/api/v1/jobs/{}", text(&asked.data()["job"]))).await.data()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_song_comes_from_its_address_and_is_worked_on() {
    let house = house().await;
    let ann = house.user("ann", Role::User).await;
    house.wants_everything(&ann).await;
    let song = house.song("a.wav", 9001);
    let bytes = song.clone();
    let web = Server::start(move |request| match request.target.as_str() {
        "/go" => Reply::new("302 Found", "").header("Location", "/files/Night%20Drive.wav?key=secret"),
        _ => file(request, &bytes, "\"1\""),
    });
    let job = imported(&house, &ann, &format!("{}/go", web.url())).await;
    assert_eq!(
        (&job["kind"], &job["state"], &job["progress"]),
        (&json!("download"), &json!("completed"), &json!(100))
    );
    let track = ann.get(&format!("/api/v1/tracks/{}", text(&job["track"]))).await.data();
    assert_eq!((&track["title"], &track["file"]["size_bytes"]), (&json!("Night Drive"), &json!(song.len())));
    let kinds = ann.get("/api/v1/jobs").await.data();
    let kinds: Vec<_> = kinds.as_array().unwrap().iter().map(|job| text(&job["kind"])).collect();
    assert!(
        kinds.contains(&"analyze".to_owned()) && !kinds.contains(&"separate".to_owned()),
        "as far as she may: {kinds:?}"
    );

    let again = imported(&house, &ann, &format!("{}/other.wav", web.url())).await;
    assert_eq!((&again["state"], &again["track"]), (&json!("completed"), &track["id"]));
    assert_eq!(ann.get("/api/v1/tracks").await.rows(), 1, "the same file is the same song");
    let told = ann.get("/api/v1/notifications").await.data();
    assert!(told.as_array().unwrap().iter().any(|note| note["kind"] == "track.duplicate"), "{told}");
    let left = house.files().into_iter().filter(|file| file.starts_with("downloads")).count();
    assert_eq!(left, 0, "what came in is where it belongs");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_song_is_told_with_the_reason() {
    let house = house().await;
    let ann = house.user("ann", Role::User).await;
    let web = Server::start(|request| match request.target.as_str() {
        "/page" => {
            Reply::new("200 OK", "<!DOCTYPE html><title>Song</title>").header("Content-Type", "audio/mpeg")
        }
        "/text.mp3" => Reply::new("200 OK", "no song at all"),
        "/large.mp3" => Reply::new("200 OK", vec![0; (1 << 20) + 1]),
        "/endless.mp3" => Reply::new("200 OK", vec![0; (1 << 20) + 1]).chunked(),
        "/login.mp3?key=secret" => Reply::new("403 Forbidden", ""),
        "/round" => Reply::new("302 Found", "").header("Location", "/round"),
        "/file" => Reply::new("302 Found", "").header("Location", "file:///etc/passwd"),
        _ => not_found(),
    });
    for (path, expected) in [
        ("/page", "page"),
        ("/text.mp3", "no song"),
        ("/large.mp3", "1 MB"),
        ("/endless.mp3", "1 MB"),
        ("/login.mp3?key=secret", "login"),
        ("/round", "5 times"),
        ("/file", "https://"),
        ("/gone.mp3", "404"),
    ] {
        let job = imported(&house, &ann, &format!("{}{path}", web.url())).await;
        let error = text(&job["error"]);
        assert_eq!(
            (&job["state"], &job["track"], &job["attempt"]),
            (&json!("discarded"), &json!(null), &json!(1)),
            "{error}"
        );
        assert!(error.contains(expected) && !error.contains("secret"), "{path}: {error}");
    }
    assert_eq!(ann.get("/api/v1/tracks").await.rows(), 0);
    assert_eq!(ann.get("/api/v1/notifications").await.data()[0]["kind"], "download.failed");
    assert!(!house.files().into_iter().any(|file| file.starts_with("downloads")), "nothing is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_asks_nobody_beside_it() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let web = Server::start(|_| not_found());
    let port = web.url().rsplit(':').next().unwrap().to_owned();
    for address in [
        format!("http://127.0.0.1:{port}/a.mp3"),
        format!("http://2130706433:{port}/a.mp3"),
        format!("http://[::ffff:127.0.0.1]:{port}/a.mp3"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://user:secret@example.org/a.mp3".to_owned(),
        "no address".to_owned(),
    ] {
        refused(&ann.post("/api/v1/tracks/import", json!({"url": address})).await, 422, "invalid");
    }
    // Where a name leads is known once it is looked up.
    let job = imported(&house, &ann, &format!("http://localhost:{port}/a.mp3")).await;
    assert_eq!(job["state"], "discarded");
    assert!(text(&job["error"]).contains("not on the public internet"), "{job}");
    assert!(web.requests().is_empty(), "nobody was asked");
}
