//! Cues and loops by hand.

use serde_json::json;
use sfa_core::library::Role;

use crate::house::{House, refused, text};

#[tokio::test(flavor = "multi_thread")]
async fn cues_and_loops_are_placed_changed_and_removed() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let id = house.track(&ann, "a.wav", 9001).await;
    let list = format!("/api/v1/tracks/{id}/cues");
    let placed =
        ann.post(&list, json!({"start_ms": 120, "label": "Vocals", "pad": 0, "colour": "#FF7b92"})).await;
    assert_eq!(placed.status, 201);
    let cue = placed.data();
    assert_eq!((&cue["kind"], &cue["pad"], &cue["is_automatic"]), (&json!("own"), &json!(0), &json!(false)));
    let looped = ann.post(&list, json!({"start_ms": 10, "end_ms": 90})).await.data();
    assert_eq!((&looped["kind"], &looped["end_ms"]), (&json!("loop"), &json!(90)));
    let listed = ann.get(&list).await.data();
    assert_eq!((&listed[0], &listed[1]), (&looped, &cue), "in order of time");

    let path = format!("{list}/{}", text(&cue["id"]));
    let moved = ann.json("PUT", &path, json!({"start_ms": 5, "kind": "drop"})).await.data();
    assert_eq!((&moved["id"], &moved["start_ms"], &moved["pad"]), (&cue["id"], &json!(5), &json!(null)));
    assert_eq!(ann.delete(&path).await.status, 204);
    refused(&ann.delete(&path).await, 404, "not_found");
    refused(&ann.json("PUT", &path, json!({"start_ms": 5})).await, 404, "not_found");
    assert_eq!(ann.get(&list).await.rows(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn cues_that_make_no_sense_are_refused() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let id = house.track(&ann, "a.wav", 9001).await;
    let list = format!("/api/v1/tracks/{id}/cues");
    for wrong in [
        json!({}),
        json!({"start_ms": -1}),
        json!({"start_ms": 1.5}),
        json!({"start_ms": 10, "end_ms": 10}),
        json!({"start_ms": 10, "end_ms": 20, "kind": "drop"}),
        json!({"start_ms": 10, "kind": "loop"}),
        json!({"start_ms": 10, "kind": "dream"}),
        json!({"start_ms": 10, "colour": "javascript:"}),
        json!({"start_ms": 10, "pad": 8}),
        json!({"start_ms": 10, "pad": 256}),
        json!({"start_ms": 10, "label": "x".repeat(101)}),
        json!({"start_ms": 10, "is_automatic": true}),
    ] {
        refused(&ann.post(&list, wrong).await, 422, "invalid");
    }
    ann.post(&list, json!({"start_ms": 1, "pad": 4})).await;
    refused(&ann.post(&list, json!({"start_ms": 2, "pad": 4})).await, 409, "conflict");
    let keyed = ann.with("idempotency-key", "once");
    let first = keyed.post(&list, json!({"start_ms": 3})).await.data();
    assert_eq!(keyed.post(&list, json!({"start_ms": 3})).await.data()["id"], first["id"]);
    assert_eq!(ann.get(&list).await.rows(), 2);
}
