//! Acting as another user.

use serde_json::json;
use sfa_core::library::Role;

use crate::house::{House, refused, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_super_admin_sees_what_a_user_sees_and_touches_no_secrets() {
    let house = House::open().await;
    let boss = house.user("boss", Role::SuperAdmin).await;
    let ann = house.user("ann", Role::User).await;
    ann.post("/api/v1/playlists", json!({"name": "hers"})).await;
    let begin = format!("/api/v1/users/{}/impersonate", ann.user);
    assert_eq!(boss.post(&begin, json!({})).await.data()["name"], "ann");
    let me = boss.get("/api/v1/me").await.data();
    assert_eq!((me["name"].as_str(), me["impersonated_by"]["name"].as_str()), (Some("ann"), Some("boss")));
    assert!(me["impersonated_by"]["ends_at_ms"].as_i64() > me["created_at_ms"].as_i64(), "{me}");
    assert_eq!(boss.get("/api/v1/playlists").await.data()[0]["name"], "hers");
    assert_eq!(boss.post("/api/v1/playlists", json!({"name": "by boss"})).await.status, 201);
    for (method, path, body) in [
        ("POST", "/api/v1/tokens", json!({"label": "x", "scopes": ["read"]})),
        ("GET", "/api/v1/tokens", json!({})),
        ("PUT", "/api/v1/me/password", json!({"new": "a long password"})),
        ("POST", "/api/v1/me/email", json!({"email": "boss2@example.org"})),
        ("PATCH", "/api/v1/me", json!({"name": "x"})),
        ("PUT", "/api/v1/vault/x", json!({"value": "x"})),
        ("GET", "/api/v1/vault", json!({})),
        ("GET", "/api/v1/sessions", json!({})),
        ("POST", "/api/v1/reauthenticate", json!({"password": "x"})),
        ("POST", begin.as_str(), json!({})),
        ("GET", "/api/v1/users", json!({})),
    ] {
        refused(&boss.json(method, path, body).await, 403, "forbidden");
    }
    assert_eq!(ann.get("/api/v1/sessions").await.rows(), 1, "it is no session of hers");

    assert_eq!(boss.delete("/api/v1/impersonation").await.status, 204);
    let me = boss.get("/api/v1/me").await.data();
    assert!(me["name"] == "boss" && me.get("impersonated_by").is_none(), "{me}");
    let log = boss.get(&format!("/api/v1/audit?target={}", ann.user)).await.data();
    let log: Vec<_> =
        log.as_array().unwrap().iter().map(|line| (text(&line["action"]), text(&line["actor"]))).collect();
    let by_boss = |action: &str| (action.to_owned(), boss.user.to_string());
    assert!(
        log.contains(&by_boss("user.act_as")) && log.contains(&by_boss("user.stop_acting_as")),
        "{log:?}"
    );
    assert!(log.contains(&by_boss("user.change_as")), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_the_session() {
    let house = House::open().await;
    let boss = house.user("boss", Role::SuperAdmin).await;
    let ann = house.user("ann", Role::User).await;
    let own = format!("/api/v1/users/{}/impersonate", boss.user);
    refused(&boss.post(&own, json!({})).await, 409, "conflict");
    boss.post(&format!("/api/v1/users/{}/impersonate", ann.user), json!({})).await;
    assert_eq!(boss.post("/api/v1/logout", json!({})).await.status, 204);
    refused(&boss.get("/api/v1/me").await, 401, "unauthorized");
    assert_eq!(ann.get("/api/v1/me").await.status, 200, "hers goes on");
}
