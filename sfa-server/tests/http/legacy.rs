//! The dialects of earlier programs, each path by its documented shape.

use std::time::Duration;

use serde_json::{Value, json};
use sfa_core::library::{Role, Scope, WorkerOptions};

use crate::house::{Answer, Client, House, text};
use crate::live::Socket;

/// The names of an object's fields.
fn names(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap_or_else(|| panic!("{value} is no object"));
    let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[track_caller]
fn refused(answer: &Answer, status: u16, words: &str) {
    let error = answer.value();
    let said = format!("{} {}", error["error"], error["message"]);
    assert!(answer.status == status && said.contains(words), "{answer:?}");
}

/// Has everything done that waits.
async fn work(house: &House, owner: &Client, track: &str) {
    let worker = house.library.start_worker(WorkerOptions::default()).await.unwrap();
    house.library.wait(Scope::of(owner.user), track.parse().unwrap(), |_, _| {}).await.unwrap();
    worker.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn songs_are_worked_on_in_every_dialect() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let id = house.track(&ann, "Night-(Drive).wav", 4 * 44_100).await;
    let download = ann.get(&format!("/api/download/track/{id}")).await.value();
    assert_eq!(names(&download), ["filePath", "jobId", "progress", "status", "trackId"]);
    let path = text(&download["filePath"]);
    let downloaded = ann.get(&format!("/api/download/job/{}", text(&download["jobId"]))).await.value();
    let expected = json!({
        "success": true, "job_id": id, "status": "completed", "progress": 100, "result": {"file_path": path},
    });
    assert_eq!(downloaded, expected);
    assert_eq!(&ann.get(&path).await.body[..4], b"RIFF");
    let none = ann.get(&format!("/api/process/track/{id}")).await.value();
    assert_eq!((&none["status"], &none["stems"]), (&json!("none"), &json!([])));

    house.wants_everything(&ann).await;
    let asked = ann.post("/api/processing/separate", json!({"file_path": path})).await;
    assert_eq!(asked.status, 201);
    let asked = asked.value();
    let job = text(&asked["job_id"]);
    let expected = json!({"success": true, "job_id": job, "status": "queued", "model": "auto"});
    assert_eq!(asked, expected);
    work(&house, &ann, &id).await;
    let done = ann.get(&format!("/api/processing/job/{job}")).await.value();
    assert_eq!(names(&done), ["job_id", "model", "progress", "result", "status", "success"]);
    assert_eq!((&done["status"], &done["progress"]), (&json!("completed"), &json!(100)));
    let stems = done["result"]["stems"].as_array().unwrap();
    assert_eq!(stems.len(), 4);
    assert_eq!(names(&stems[0]), ["file_path", "file_size", "id", "source", "stem_type"]);
    assert_eq!(&ann.get(&text(&stems[0]["file_path"])).await.body[..4], b"RIFF");
    let separated = ann.get(&format!("/api/process/track/{id}")).await.value();
    assert_eq!((&separated["jobId"], &separated["stems"]), (&json!(job), &done["result"]["stems"]));
    let shown = ann.get(&format!("/api/process/job/{job}")).await.value();
    assert_eq!(names(&shown), ["error", "jobId", "progress", "status", "trackId"]);

    files_are_saved(&ann, &id, &stems[0]).await;

    let asked = ann.post("/api/analyze/analyze", json!({"trackId": id})).await;
    assert_eq!((asked.status, &asked.value()["trackId"]), (201, &json!(id)));
    work(&house, &ann, &id).await;
    let job = text(&asked.value()["jobId"]);
    assert_eq!(ann.get(&format!("/api/analyze/job/{job}")).await.value()["status"], "completed");
    let analyzed = ann.get(&format!("/api/analyze/track/{id}")).await.value();
    assert!(analyzed["results"]["analysis"]["descriptors"]["spectral"].is_object(), "{analyzed}");
    let done = ann.get(&format!("/api/analysis/job/{job}")).await.value();
    assert_eq!(names(&done), ["job_id", "progress", "result", "status", "success", "type"]);
    assert_eq!(done["result"], analyzed["results"]);
}

async fn files_are_saved(ann: &Client, id: &str, stem: &Value) {
    let saved = ann.get(&format!("/export/stem/{}", text(&stem["id"]))).await;
    let name = format!("attachment; filename=\"Night-Drive - {}.wav\"", text(&stem["stem_type"]));
    assert!(
        saved.header("content-disposition").starts_with(&name),
        "{}",
        saved.header("content-disposition")
    );
    assert_eq!(saved.body.len() as i64, stem["file_size"]);
    let zip = ann.get(&format!("/export/stems/{id}")).await;
    assert_eq!((zip.status, zip.header("content-type")), (200, "application/zip".to_owned()));
    assert!(zip.header("content-disposition").contains("Night-Drive_stems.zip"));
    let entry = b"Night-(Drive) - drums.wav";
    assert!(zip.body.starts_with(b"PK") && zip.body.windows(entry.len()).any(|name| name == entry));
    let analysis = ann.get(&format!("/export/analysis/{id}")).await;
    assert!(analysis.header("content-disposition").starts_with("attachment"));
    assert_eq!(names(&analysis.value()), ["analysis", "exported_at", "track"]);
    let track = analysis.value()["track"].clone();
    assert_eq!(names(&track), ["album", "artist", "duration_ms", "id", "title"]);
    assert!(analysis.value()["analysis"]["features"].is_object());
    for path in ["/export/midi/", "/files/midi/"] {
        let notes = ann.get(&format!("{path}{id}")).await;
        assert_eq!((notes.status, &notes.body[..4]), (200, &b"MThd"[..]), "{path}");
    }
    let bass = ann.get(&format!("/export/midi/{id}?stem=bass")).await;
    assert!(bass.header("content-disposition").contains("Night-Drive - bass.mid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn models_and_stems_are_chosen_for_one_job() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let id = house.track(&ann, "a.wav", 9001).await;
    let models = ann.get("/api/processing/models").await.value();
    let names: Vec<String> =
        models["models"].as_array().unwrap().iter().map(|model| text(&model["name"])).collect();
    for (name, stems) in [("htdemucs", 4), ("htdemucs_ft", 4), ("htdemucs_6s", 6), ("mdx_extra", 4)] {
        let place = names.iter().position(|known| known == name).unwrap();
        assert_eq!(models["models"][place]["stems"].as_array().unwrap().len(), stems, "{name}");
    }
    let asked = ann.post("/api/processing/separate", json!({"track_id": id, "model": "mdx_extra"})).await;
    assert_eq!((asked.status, &asked.value()["model"]), (201, &json!("mdx_extra")));
    let options = json!({"model": "htdemucs", "extractDrums": false, "extractOther": false});
    let other = house.track(&ann, "b.wav", 9002).await;
    let asked = ann.post("/api/process/separate", json!({"trackId": other, "options": options})).await;
    let job = asked.value()["jobId"].as_str().unwrap().parse().unwrap();
    let job = house.library.rows().job(Scope::of(ann.user), job).await.unwrap();
    let expected = json!({"engine": "demucs", "model": "htdemucs", "stems": {"only": ["vocals", "bass"]}});
    assert_eq!(job.args["settings"], expected);
    assert_eq!(house.library.settings(Scope::of(ann.user)).await.unwrap().model, None, "for this job alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_as_ever() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::Pro).await, house.user("ben", Role::Pro).await);
    let his = house.track(&ben, "a.wav", 9001).await;
    let file = text(&ben.get(&format!("/api/v1/tracks/{his}")).await.data()["file"]["url"]);
    for (path, body, status, words) in [
        ("/api/spotify/fetch", json!({}), 400, "url is required"),
        ("/api/spotify/fetch", json!({"url": 7}), 400, "url is required"),
        ("/api/spotify/fetch", json!({"url": "https://evil.example"}), 400, "Invalid Spotify URL"),
        ("/api/download/track", json!({"trackId": "x", "spotifyUrl": "x"}), 400, "Invalid Spotify URL"),
        ("/api/processing/separate", json!({}), 400, "file_path is required"),
        ("/api/processing/separate", json!({"file_path": "/etc/passwd"}), 400, "File not found"),
        ("/api/processing/separate", json!({"file_path": file}), 400, "File not found"),
        ("/api/processing/separate", json!({"track_id": his}), 404, "Track not found"),
        ("/api/process/separate", json!({"trackId": his}), 404, "Track not found"),
        ("/api/analysis/analyze", json!({"track_id": "x"}), 404, "Track not found"),
        ("/api/analyze/analyze", json!([]), 400, "trackId is required"),
    ] {
        refused(&ann.post(path, body).await, status, words);
    }
    let own = house.track(&ann, "b.wav", 9002).await;
    for (path, body, words) in [
        ("/api/processing/separate", json!({"track_id": own, "model": "no_such_model"}), "no_such_model"),
        ("/api/analysis/analyze", json!({"track_id": own, "type": "mood"}), "Invalid type"),
        (
            "/api/process/separate",
            json!({"trackId": own, "options": {
                "extractVocals": false, "extractDrums": false, "extractBass": false, "extractOther": false,
            }}),
            "no stem",
        ),
    ] {
        refused(&ann.post(path, body).await, 400, words);
    }
    refused(&ann.get("/api/download/job/x").await, 404, "Job not found");
    refused(&ann.get("/api/processing/job/x").await, 404, "Job not found");
    refused(&ann.get("/export/stem/x").await, 404, "Stem not found");
    refused(&ann.get(&format!("/export/midi/{own}")).await, 404, "add midi to the steps");
    let nobody = house.anybody();
    assert_eq!(nobody.get("/api/processing/models").await.value()["error"], "Unauthorized");
    let free = house.user("cem", Role::User).await;
    let track = house.track(&free, "c.wav", 9003).await;
    refused(&free.post("/api/process/separate", json!({"trackId": track})).await, 403, "songs.separate");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_have_their_shape() {
    let house = House::with(|options| options.rates.browser = 1).await;
    let ann = house.user("ann", Role::Pro).await;
    assert_eq!(ann.get("/api/lalalai/quota").await.status, 501);
    let refused = ann.get("/api/lalalai/quota").await;
    assert_eq!((refused.status, &refused.value()["error"]), (429, &json!("Too Many Requests")));
    assert!(!refused.header("retry-after").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_says_what_is_missing() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let link = json!({"url": "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC"});
    refused(&ann.post("/api/spotify/fetch", link.clone()).await, 501, "Spotify");
    refused(&ann.post("/api/download/track", link).await, 501, "downloading");
    for (path, words) in [
        ("/api/config", "Supabase"),
        ("/api/lalalai/quota", "cloud"),
        ("/auth/spotify", "Spotify"),
        ("/auth/spotify/callback", "Spotify"),
        ("/alchemy/x/download", "sets"),
    ] {
        refused(&ann.get(path).await, 501, words);
    }
    for (path, words) in [
        ("/api/lalalai/cancel", "cloud"),
        ("/api/lalalai/cancel-all", "cloud"),
        ("/api/daw/export", "editor"),
    ] {
        refused(&ann.post(path, json!({})).await, 501, words);
    }
    assert_eq!(house.anybody().get("/.well-known/security.txt").await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_at_the_root_tells_of_a_track() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::Pro).await, house.user("ben", Role::Pro).await);
    let id = house.track(&ann, "a.wav", 4 * 44_100).await;
    assert_eq!(Socket::open_at(&house.anybody(), "/").await.err(), Some(401));
    assert_eq!(Socket::open_at(&ann.with("origin", "https://evil.example"), "/").await.err(), Some(403));
    let mut other = Socket::open_at(&ben, "/").await.unwrap();
    let follow = json!({"event": "subscribe:track", "data": id});
    other.say(follow.clone()).await;
    assert_eq!(other.hear().await.unwrap()["event"], "error");

    let mut socket = Socket::open_at(&ann, "/").await.unwrap();
    socket.say(follow).await;
    let told = socket.hear().await.unwrap();
    assert_eq!((&told["event"], &told["data"]["trackId"]), (&json!("download:job:completed"), &json!(id)));
    let asked = ann.post("/api/analyze/analyze", json!({"trackId": id})).await.value();
    let job = text(&asked["jobId"]);
    let data = json!({"jobId": job, "trackId": id, "status": "queued", "progress": 0});
    assert_eq!(socket.hear().await.unwrap(), json!({"event": "analysis:job:created", "data": data}));
    let worker = house.library.start_worker(WorkerOptions::default()).await.unwrap();
    let last = loop {
        let told = socket.hear().await.unwrap();
        if told["event"] != "analysis:job:progress" {
            break told;
        }
        assert_eq!(told["data"]["status"], "processing");
    };
    worker.shutdown(Duration::from_secs(5)).await;
    let data = json!({"jobId": job, "trackId": id, "status": "completed", "progress": 100});
    assert_eq!(last, json!({"event": "analysis:job:completed", "data": data}));
    socket.say(json!({"event": "unsubscribe:track", "data": id})).await;
    socket.say(json!({"event": "dance", "data": id})).await;
    assert_eq!(socket.hear().await.unwrap()["event"], "error");
}
