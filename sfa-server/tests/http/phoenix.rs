//! The socket of the application before this one: Phoenix channels, as its clients speak and hear them.

use std::time::Duration;

use serde_json::{Value, json};
use sfa_core::library::{Role, WorkerOptions};

use crate::house::{Client, House, text};
use crate::live::Socket;

const PATH: &str = "/socket/websocket?vsn=2.0.0";

async fn open(client: &Client) -> Socket {
    Socket::open_at(client, PATH).await.unwrap()
}

async fn answered(socket: &mut Socket, message: Value) -> Value {
    socket.say(message).await;
    socket.hear().await.unwrap()
}

fn reply(join_ref: Value, number: &str, topic: &str, status: &str, response: Value) -> Value {
    json!([join_ref, number, topic, "phx_reply", {"status": status, "response": response}])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_tells_of_a_job_and_of_its_song() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let id = house.track(&ann, "a.wav", 4 * 44_100).await;
    let job = text(&ann.post("/api/analyze/analyze", json!({"trackId": id})).await.value()["jobId"]);
    let topic = format!("jobs:{job}");
    let mut socket = open(&ann).await;
    let joined = answered(&mut socket, json!(["1", "2", topic, "phx_join", {"any": "thing"}])).await;
    assert_eq!(joined, reply(json!("1"), "2", &topic, "ok", json!({})));
    let of_job = |status: &str, progress: i64| json!({"job_id": job, "job_type": "analyze", "track_id": id, "status": status, "progress": progress, "message": ""});
    let of_song = |status: &str, progress: i64| json!({"track_id": id, "track_title": "a", "stage": "analysis", "status": status, "progress": progress});
    let told = |event: &str, payload: Value| json!(["1", null, topic, event, payload]);
    assert_eq!(socket.hear().await.unwrap(), told("job:progress", of_job("queued", 0)));
    assert_eq!(socket.hear().await.unwrap(), told("pipeline:progress", of_song("queued", 0)));
    let pong = answered(&mut socket, json!(["1", "3", topic, "ping", {"n": 1}])).await;
    assert_eq!(pong, reply(json!("1"), "3", &topic, "ok", json!({"n": 1})));

    let worker = house.library.start_worker(WorkerOptions::default()).await.unwrap();
    let done = loop {
        let heard = socket.hear().await.unwrap();
        match heard[3].as_str().unwrap() {
            "job:progress" => assert_eq!(heard[4]["status"], "processing", "{heard}"),
            "pipeline:progress" => assert_eq!(heard[4]["status"], "analyzing", "{heard}"),
            _ => break heard,
        }
    };
    worker.shutdown(Duration::from_secs(5)).await;
    assert_eq!(done, told("job:completed", of_job("completed", 100)));
    assert_eq!(socket.hear().await.unwrap(), told("pipeline:progress", of_song("completed", 100)));
    let complete = json!({"track_id": id, "track_title": "a"});
    assert_eq!(socket.hear().await.unwrap(), told("pipeline:complete", complete));

    let left = answered(&mut socket, json!(["1", "4", topic, "phx_leave", {}])).await;
    assert_eq!(left, reply(json!("1"), "4", &topic, "ok", json!({})));
    assert_eq!(socket.hear().await.unwrap(), json!(["1", "1", topic, "phx_close", {}]));
    // Who comes when all is over is told so.
    let again = answered(&mut socket, json!(["5", "5", topic, "phx_join", {}])).await;
    assert_eq!(again, reply(json!("5"), "5", &topic, "ok", json!({})));
    for event in ["job:completed", "pipeline:progress", "pipeline:complete"] {
        let heard = socket.hear().await.unwrap();
        assert_eq!((&heard[0], &heard[3]), (&json!("5"), &json!(event)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_for_those_whose_jobs_they_are() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::Pro).await, house.user("ben", Role::Pro).await);
    let id = house.track(&ann, "a.wav", 9001).await;
    let job = text(&ann.post("/api/analyze/analyze", json!({"trackId": id})).await.value()["jobId"]);
    let topic = format!("jobs:{job}");
    let join = json!(["1", "1", topic, "phx_join", {}]);

    assert_eq!(Socket::open_at(&house.anybody(), PATH).await.err(), Some(401));
    assert_eq!(Socket::open_at(&ann.with("origin", "https://evil.example"), PATH).await.err(), Some(403));
    for version in ["/socket/websocket", "/socket/websocket?vsn=1.0.0"] {
        assert_eq!(Socket::open_at(&ann, version).await.err(), Some(400), "{version}");
    }
    assert_eq!(ann.get(PATH).await.status, 426, "no socket at all");

    let refused = answered(&mut open(&ben).await, join.clone()).await;
    assert_eq!((&refused[3], &refused[4]["status"]), (&json!("phx_reply"), &json!("error")));
    assert_eq!(refused[4]["response"]["reason"], "not_found");

    // Who cannot send headers has the token in the address.
    let program = house.program(&ann, &["read"]).await;
    let token = program.headers[0].1.trim_start_matches("Bearer ").to_owned();
    let mut socket = Socket::open_at(&house.anybody(), &format!("{PATH}&token={token}")).await.unwrap();
    assert_eq!(answered(&mut socket, join).await[4]["status"], "ok");
    let wrong = format!("{PATH}&token=sfa_{}", "0".repeat(64));
    assert_eq!(Socket::open_at(&house.anybody(), &wrong).await.err(), Some(401));
    let elsewhere = format!("/api/v1/live?token={token}");
    assert_eq!(Socket::open_at(&house.anybody(), &elsewhere).await.err(), Some(401), "of this socket alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_answers_whatever_comes() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let mut socket = open(&ann).await;
    let beat = answered(&mut socket, json!([null, "7", "phoenix", "heartbeat", {}])).await;
    assert_eq!(beat, reply(Value::Null, "7", "phoenix", "ok", json!({})));
    let nowhere = format!("jobs:{}", "0".repeat(32));
    for (topic, event, reason) in [
        ("rooms:lobby", "phx_join", "unmatched topic"),
        ("track:x", "phx_join", "unmatched topic"),
        ("library", "phx_join", "unmatched topic"),
        ("jobs:", "phx_join", "not_found"),
        ("jobs:../x", "phx_join", "not_found"),
        (&nowhere, "phx_join", "not_found"),
        (&nowhere, "dance", "unmatched event"),
    ] {
        let heard = answered(&mut socket, json!(["1", "2", topic, event, {}])).await;
        assert_eq!((&heard[2], &heard[4]["status"]), (&json!(topic), &json!("error")), "{topic} {event}");
        assert_eq!(heard[4]["response"]["reason"], reason, "{topic} {event}");
    }
    for hostile in [
        json!({}),
        json!([]),
        json!("phx_join"),
        json!([[], {}, 1, null, true]),
        json!([null, null, null, null, null, null]),
    ] {
        let heard = answered(&mut socket, hostile.clone()).await;
        assert_eq!((&heard[3], &heard[4]["status"]), (&json!("phx_reply"), &json!("error")), "{hostile}");
    }
    let left = answered(&mut socket, json!(["1", "9", nowhere, "phx_leave", {}])).await;
    assert_eq!(left[4]["status"], "ok", "who leaves what was not joined has left");
    socket.hear().await.unwrap();
    socket.say(json!(["1", "2", "x".repeat(5000), "phx_join", {}])).await;
    assert!(socket.hear().await.is_err(), "what is too long ends the line");
}
