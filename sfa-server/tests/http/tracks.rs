//! Songs in, work done, results out.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use sfa_core::library::{Role, Scope, Step, WorkerOptions};

use crate::house::{Client, House, refused, text};

/// A body of a form with one file in it.
fn form(name: &str, file: &[u8]) -> Vec<u8> {
    let head = format!(
        "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         content-type: audio/wav\r\n\r\n"
    );
    [head.as_bytes(), file, b"\r\n--edge--\r\n"].concat()
}

async fn send_form(client: &Client, body: Vec<u8>) -> crate::house::Answer {
    let client = client.with("content-type", "multipart/form-data; boundary=edge");
    client.send("POST", "/api/v1/tracks", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_is_the_same_song_however_it_comes() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let song = house.song("a.wav", 9007);
    let first = ann.post_bytes("/api/v1/tracks?name=Night%20Drive.wav", song.clone()).await;
    assert_eq!(first.status, 201);
    let track = first.data()["track"].clone();
    assert_eq!((&track["title"], &track["file"]["name"]), (&json!("Night Drive"), &json!("Night Drive.wav")));
    assert_eq!(track["file"]["size_bytes"], song.len());
    let second = send_form(&ann, form("other.wav", &song)).await;
    assert_eq!((second.status, &second.data()["is_new"]), (200, &json!(false)));
    assert_eq!(second.data()["track"]["id"], track["id"]);
    let ben = house.user("ben", Role::Pro).await;
    let his = send_form(&ben, form("his.wav", &song)).await;
    assert_eq!(his.status, 201, "everybody has their own");
    let left = house.files().into_iter().filter(|file| file.starts_with("uploads")).count();
    assert_eq!(left, 0, "what came in is where it belongs");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_song_leaves_nothing() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    refused(&ann.post_bytes("/api/v1/tracks?name=a.mp3", b"<html><script>".to_vec()).await, 422, "not_audio");
    refused(&ann.post_bytes("/api/v1/tracks?name=a.mp3", Vec::new()).await, 422, "invalid");
    refused(&send_form(&ann, b"no form".to_vec()).await, 400, "bad_form");
    refused(&send_form(&ann, b"--edge--\r\n".to_vec()).await, 400, "bad_form");
    let no_file = b"--edge\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nx\r\n--edge--\r\n";
    refused(&send_form(&ann, no_file.to_vec()).await, 400, "bad_form");
    assert_eq!(ann.get("/api/v1/tracks").await.rows(), 0);
    let left: Vec<_> =
        house.files().into_iter().filter(|file| file.extension().is_none_or(|end| end == "mp3")).collect();
    assert!(left.iter().all(|file| file.ends_with("secret")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_of_an_upload_goes_after_a_day() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let left = |name: &str, hours: u64| {
        let folder = house.desk.path("data").join("uploads").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("song.wav"), b"half").unwrap();
        let at = SystemTime::now() - Duration::from_secs(hours * 3600);
        std::fs::File::open(&folder).unwrap().set_modified(at).unwrap();
        folder
    };
    let (old, new) = (left("old", 25), left("new", 1));
    house.track(&ann, "a.wav", 9001).await;
    assert!(!old.exists() && new.exists(), "somebody may still be sending the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_stay_within_what_is_allowed() {
    let house = House::with(|options| options.most_upload_bytes = 20_000).await;
    let ann = house.user("ann", Role::Pro).await;
    let song = house.song("a.wav", 9007);
    refused(&ann.post_bytes("/api/v1/tracks", song.clone()).await, 413, "too_large");
    refused(&send_form(&ann, form("a.wav", &song)).await, 413, "too_large");
    house.library.rows().set_quota(ann.user, Some(1000)).await.unwrap();
    refused(&ann.post_bytes("/api/v1/tracks", song[..10_000].to_vec()).await, 507, "no_space");
    assert_eq!(ann.get("/api/v1/me").await.data()["quota_bytes"], 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn songs_are_listed_in_pages_found_renamed_and_removed() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let mut ids = Vec::new();
    for (name, frames) in [("b.wav", 9001), ("a.wav", 9002), ("c.wav", 9003)] {
        ids.push(house.track(&ann, name, frames).await);
    }
    let page = async |query: &str| {
        let answer = ann.get(&format!("/api/v1/tracks?{query}")).await;
        let titles: Vec<String> =
            answer.data().as_array().unwrap().iter().map(|track| text(&track["title"])).collect();
        (titles.join(""), answer.value()["next"].as_str().map(str::to_owned))
    };
    let (titles, next) = page("sort=title&limit=2").await;
    assert_eq!(titles, "ab");
    let (titles, next) = page(&format!("sort=title&limit=2&after={}", next.unwrap())).await;
    assert_eq!((titles.as_str(), next), ("c", None));
    assert_eq!(page("").await.0, "cab", "the newest first");

    let renamed = ann.json("PATCH", &format!("/api/v1/tracks/{}", ids[0]), json!({"artist": "Béla"})).await;
    assert_eq!((&renamed.data()["artist"], &renamed.data()["title"]), (&json!("Béla"), &json!("b")));
    assert_eq!(page("search=bela").await.0, "b");
    assert_eq!(page("artist=B%C3%A9la&status=ready").await.0, "b");
    assert_eq!(page("sort=title&reverse=true").await.0, "cba");
    assert_eq!(page("bpm_min=100&bpm_max=130&keys=8A,Am&energy_min=3&has_stems=true").await.0, "");
    refused(
        &ann.json("PATCH", &format!("/api/v1/tracks/{}", ids[0]), json!({"title": ""})).await,
        422,
        "invalid",
    );
    assert_eq!(ann.delete(&format!("/api/v1/tracks/{}", ids[0])).await.status, 204);
    refused(&ann.get(&format!("/api/v1/tracks/{}", ids[0])).await, 404, "not_found");
    for wrong in [
        "sort=id;drop",
        "limit=0",
        "limit=501",
        "limit=x",
        "after=x",
        "owner=x",
        "keys=H",
        "bpm_min=NaN",
        "status=x",
    ] {
        refused(&ann.get(&format!("/api/v1/tracks?{wrong}")).await, 422, "invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_song_is_worked_on_and_its_results_are_there() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    house.wants_everything(&ann).await;
    let id = house.track(&ann, "song.wav", 4 * 44_100).await;
    let at = |what: &str| format!("/api/v1/tracks/{id}/{what}");
    refused(&ann.get(&at("analysis")).await, 404, "not_found");
    assert_eq!(ann.get(&format!("/api/v1/jobs?track={id}")).await.rows(), 1);
    let worker = house.library.start_worker(WorkerOptions::default()).await.unwrap();
    house.library.wait(Scope::of(ann.user), id.parse().unwrap(), |_, _| {}).await.unwrap();
    worker.shutdown(Duration::from_secs(5)).await;

    let track = ann.get(&format!("/api/v1/tracks/{id}")).await.data();
    assert_eq!((&track["status"], &track["duration_ms"]), (&json!("ready"), &json!(4000)));
    assert!(track["analysis"]["lufs"].is_number());
    assert!(ann.get(&at("analysis")).await.data().is_object());
    assert_eq!(ann.get(&at("cues")).await.status, 200);
    let stems = ann.get(&at("stems")).await.data();
    let drums = stems.as_array().unwrap().iter().find(|stem| stem["kind"] == "drums").unwrap();
    let file = ann.get(&text(&drums["file"]["url"])).await;
    assert_eq!((file.status, &file.body[..4]), (200, &b"RIFF"[..]));
    assert_eq!(drums["file"]["size_bytes"], file.body.len());
    let exports = ann.get(&at("exports")).await.data();
    let report = exports.as_array().unwrap().iter().find(|file| file["name"] == "rekordbox.xml").unwrap();
    let report = ann.get(&text(&report["file"]["url"])).await;
    assert!(report.header("content-disposition").starts_with("attachment; filename=\"rekordbox.xml\""));
    assert_eq!(report.header("content-type"), "application/octet-stream");

    let jobs = ann.get("/api/v1/jobs?state=completed").await.data();
    assert_eq!(jobs.as_array().unwrap().len(), Step::ALL.len());
    refused(
        &ann.post(&format!("/api/v1/jobs/{}/cancel", text(&jobs[0]["id"])), json!({})).await,
        409,
        "conflict",
    );
    let told = ann.get("/api/v1/notifications").await.data();
    assert_eq!((&told[0]["kind"], &told[0]["is_read"]), (&json!("track.completed"), &json!(false)));
    assert_eq!(ann.post("/api/v1/notifications/read", json!({})).await.status, 204);
    assert_eq!(ann.get("/api/v1/notifications").await.data()[0]["is_read"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_asked_for_stopped_and_asked_for_again() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let id = house.track(&ann, "song.wav", 9007).await;
    let process = |from: &str| (format!("/api/v1/tracks/{id}/process"), json!({"from": from}));
    let (path, body) = process("analyze");
    let accepted = ann.post(&path, body).await;
    assert_eq!(accepted.status, 202);
    let job = text(&accepted.data()["job"]);
    let state = async || text(&ann.get(&format!("/api/v1/jobs/{job}")).await.data()["state"]);
    assert_eq!(state().await, "available");
    assert_eq!(ann.post(&format!("/api/v1/jobs/{job}/cancel"), json!({})).await.status, 202);
    assert_eq!(state().await, "cancelled");
    assert_eq!(ann.post(&format!("/api/v1/jobs/{job}/retry"), json!({})).await.status, 202);
    assert_eq!(state().await, "available");
    let (path, body) = process("dream");
    refused(&ann.post(&path, body).await, 422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn separation_needs_its_right() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::Pro).await, house.user("ben", Role::User).await);
    let first_job = async |client: &Client, frames| {
        house.wants_everything(client).await;
        let id = house.track(client, "song.wav", frames).await;
        let jobs = client.get(&format!("/api/v1/jobs?track={id}")).await.data();
        (id, text(&jobs[0]["kind"]))
    };
    assert_eq!(first_job(&ann, 9001).await.1, "separate");
    let (id, kind) = first_job(&ben, 9002).await;
    assert_eq!(kind, "analyze", "what he may not is left out");
    let path = format!("/api/v1/tracks/{id}/process");
    refused(&ben.post(&path, json!({"from": "separate"})).await, 403, "forbidden");
    assert_eq!(ben.post(&path, json!({"from": "analyze"})).await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn playlists_keep_their_order() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::User).await, house.user("ben", Role::User).await);
    let (one, two) = (house.track(&ann, "1.wav", 9001).await, house.track(&ann, "2.wav", 9002).await);
    let his = house.track(&ben, "3.wav", 9003).await;
    let made = ann.post("/api/v1/playlists", json!({"name": "Set"})).await;
    assert_eq!(made.status, 201);
    let path = format!("/api/v1/playlists/{}", text(&made.data()["id"]));
    let set = async |ids: Value| ann.json("PUT", &format!("{path}/tracks"), json!({"track_ids": ids})).await;
    assert_eq!(set(json!([two, one])).await.data()["track_ids"], json!([two, one]));
    refused(&set(json!([two, his])).await, 404, "not_found");
    assert_eq!(ann.get(&path).await.data()["track_ids"], json!([two, one]), "all or none");
    assert_eq!(ann.json("PATCH", &path, json!({"name": "Night"})).await.data()["name"], "Night");
    refused(&ann.post("/api/v1/playlists", json!({"name": "Night"})).await, 409, "conflict");
    assert_eq!(ann.get("/api/v1/playlists").await.data()[0]["tracks"], 2);
    refused(&ben.get(&path).await, 404, "not_found");
    assert_eq!(ann.delete(&path).await.status, 204);
    assert_eq!(ann.get("/api/v1/tracks").await.rows(), 2, "songs stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_replaced_or_refused() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let put = async |body: Value| ann.json("PUT", "/api/v1/settings", body).await;
    assert_eq!(put(json!({"stem_format": "mp3"})).await.data()["stem_format"], "mp3");
    assert_eq!(ann.get("/api/v1/settings").await.data()["stem_format"], "mp3");
    refused(&put(json!({"stem_format": "exe"})).await, 422, "invalid");
    refused(&put(json!({"is_admin": true})).await, 422, "invalid");
    refused(&put(json!([])).await, 422, "invalid");
    assert_eq!(ann.get("/api/v1/engines").await.data()[0]["name"], "classic");
    assert_eq!(ann.get("/api/v1/models").await.status, 200);
}
