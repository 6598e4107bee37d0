//! What other programs get, and what is on the server's machine.

use std::time::Duration;

use serde_json::json;
use sfa_core::library::{Role, WorkerOptions};

use crate::house::{House, refused, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_planned_made_and_fetched() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let track = house.track(&ann, "a.wav", 9001).await;
    let order = json!({"target": "playlist", "track_ids": [track], "name": "friday"});
    let plan = ann.post("/api/v1/packages/plan", order.clone()).await.data();
    assert_eq!(
        (&plan["files"][0]["path"], &plan["files"][1]["path"]),
        (&json!("Music/a.wav"), &json!("friday.m3u8"))
    );
    let made = ann.post("/api/v1/packages", order.clone()).await;
    assert_eq!(made.status, 202);
    let mut options = WorkerOptions::default();
    options.poll = Duration::from_millis(50);
    let worker = house.library.start_worker(options.clone()).await.unwrap();
    house.library.drained(&options).await.unwrap();
    worker.shutdown(Duration::ZERO).await;
    let package = ann.get("/api/v1/packages").await.data()[0].take();
    assert_eq!((&package["id"], &package["tracks"]), (&made.data()["job"], &json!(1)));
    let file = ann.get(&text(&package["file"]["url"])).await;
    assert!(file.status == 200 && file.body.starts_with(b"PK"), "{file:?}");
    let ben = house.user("ben", Role::Pro).await;
    refused(&ben.get(&text(&package["file"]["url"])).await, 404, "not_found");
    refused(&ben.post("/api/v1/packages", order).await, 404, "not_found");

    let without = json!({"target": "rekordbox", "track_ids": [track]});
    refused(&ann.post("/api/v1/packages/plan", without).await, 422, "invalid");
    let nothing = json!({"target": "stems", "track_ids": [track]});
    assert!(ann.post("/api/v1/packages/plan", nothing.clone()).await.data()["notes"][0].is_string());
    refused(&ann.post("/api/v1/packages", nothing).await, 422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_songs_are_worked_on_and_removed_together() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let tracks = [house.track(&ann, "a.wav", 9001).await, house.track(&ann, "b.wav", 9002).await];
    let strange = json!({"track_ids": [tracks[0], sfa_core::library::TrackId::random()], "from": "analyze"});
    refused(&ann.post("/api/v1/tracks/process", strange).await, 404, "not_found");
    assert_eq!(ann.get("/api/v1/jobs").await.rows(), 0, "all of them or none");
    let both = ann.post("/api/v1/tracks/process", json!({"track_ids": tracks, "from": "analyze"})).await;
    assert_eq!((both.status, ann.get("/api/v1/jobs").await.rows()), (202, 2));
    refused(&ann.post("/api/v1/tracks/remove", json!({"track_ids": []})).await, 422, "invalid");
    assert_eq!(ann.post("/api/v1/tracks/remove", json!({"track_ids": tracks})).await.status, 204);
    assert_eq!(ann.get("/api/v1/tracks").await.rows(), 0);
    let free = house.user("free", Role::User).await;
    let track = house.track(&free, "c.wav", 9003).await;
    let wish = json!({"track_ids": [track], "from": "separate"});
    refused(&free.post("/api/v1/tracks/process", wish).await, 403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn playlists_have_songs_or_rules() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let track = house.track(&ann, "a.wav", 9001).await;
    let made = ann.post("/api/v1/playlists", json!({"name": "fast", "rules": "bpm:>170"})).await.data();
    let path = format!("/api/v1/playlists/{}", text(&made["id"]));
    assert_eq!(ann.get("/api/v1/playlists").await.data()[0]["rules"], json!("bpm:>170"));
    let by_hand = json!({"track_ids": [track]});
    refused(&ann.json("PUT", &format!("{path}/tracks"), by_hand).await, 404, "not_found");
    let edited = ann.json("PATCH", &path, json!({"rules": "bpm:>160"})).await.data();
    assert_eq!((&edited["name"], &edited["rules"]), (&json!("fast"), &json!("bpm:>160")));
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_see_the_work_of_all_and_stop_it() {
    let house = House::open().await;
    let (ann, admin) = (house.user("ann", Role::Pro).await, house.user("admin", Role::Admin).await);
    let track = house.track(&ann, "a.wav", 9001).await;
    ann.post(&format!("/api/v1/tracks/{track}/process"), json!({"from": "analyze"})).await;
    assert_eq!(admin.get("/api/v1/admin/overview").await.data()["open_jobs"], json!(1));
    let job = admin.get("/api/v1/admin/jobs").await.data()[0].take();
    assert_eq!(job["user"], json!(ann.user.to_string()));
    let path = format!("/api/v1/admin/jobs/{}", text(&job["job"]["id"]));
    let stopped = admin.post(&format!("{path}/cancel"), json!({})).await;
    assert_eq!((stopped.status, &stopped.data()["job"]["state"]), (202, &json!("cancelled")));
    refused(&admin.post(&format!("{path}/cancel"), json!({})).await, 409, "conflict");
    assert_eq!(admin.post(&format!("{path}/retry"), json!({})).await.status, 202);
    let log = admin.get("/api/v1/audit").await.data();
    assert_eq!((&log[0]["action"], &log[1]["action"]), (&json!("job.retry"), &json!("job.cancel")));
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_managed_by_admins_and_say_what_came_of_it() {
    let house = House::open().await;
    let admin = house.user("admin", Role::Admin).await;
    let models = admin.get("/api/v1/models").await.data();
    assert!(
        models.as_array().unwrap().iter().all(|model| model["is_ready"] == false && model["work"].is_null())
    );
    refused(&admin.post("/api/v1/models/htdemucs/pull", json!({})).await, 409, "licence");
    refused(&admin.post("/api/v1/models/none/verify", json!({})).await, 404, "not_found");
    assert!(text(&admin.get("/api/v1/models/licence").await.data()["text"]).contains("Demucs"));
    let sent =
        admin.post_bytes("/api/v1/models/htdemucs/import?name=x.safetensors", b"no model".to_vec()).await;
    assert_eq!(sent.status, 202);
    let work = loop {
        let models = admin.get("/api/v1/models").await.data();
        let model =
            models.as_array().unwrap().iter().find(|model| model["name"] == "htdemucs").unwrap().clone();
        if model["work"]["percent"].is_null() {
            break model["work"].clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!((&work["action"], &work["is_failed"]), (&json!("import"), &json!(true)));
    assert!(text(&work["outcome"]).contains("SHA-256"), "{work}");
    assert_eq!(admin.delete("/api/v1/models/htdemucs/work").await.status, 204);
    assert!(admin.get("/api/v1/tools").await.rows() >= 3);
}
