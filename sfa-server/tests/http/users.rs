//! Looking after everybody's accounts.

use std::time::Duration;

use serde_json::json;
use sfa_core::library::Role;

use crate::house::{House, refused, text};

#[tokio::test(flavor = "multi_thread")]
async fn admins_make_change_and_remove_those_below_them() {
    let house = House::open().await;
    let admin = house.user("admin", Role::Admin).await;
    let peer = house.user("peer", Role::Admin).await;
    let body = |role: &str| json!({"name": "Ben", "email": format!("{role}@example.org"), "password": "a long password", "role": role});
    refused(&admin.post("/api/v1/users", body("admin")).await, 403, "forbidden");
    refused(&admin.post("/api/v1/users", body("super_admin")).await, 403, "forbidden");
    refused(&admin.post("/api/v1/users", body("system")).await, 403, "forbidden");
    let made = admin.post("/api/v1/users", body("user")).await;
    assert_eq!(made.status, 201);
    let ben = format!("/api/v1/users/{}", text(&made.data()["id"]));
    let log_in = json!({"email": "user@example.org", "password": "a long password"});
    assert_eq!(house.anybody().post("/api/v1/login", log_in).await.status, 200);

    let edited = admin.json("PATCH", &ben, json!({"role": "pro", "quota_bytes": 1000})).await.data();
    assert_eq!((&edited["role"], &edited["quota_bytes"]), (&json!("pro"), &json!(1000)));
    let edited = admin.json("PATCH", &ben, json!({"quota_bytes": null})).await.data();
    assert_eq!(edited["quota_bytes"], json!(null));
    refused(&admin.json("PATCH", &ben, json!({"role": "admin"})).await, 403, "forbidden");
    refused(&admin.json("PATCH", &ben, json!({"id": "x"})).await, 422, "invalid");
    let peer = format!("/api/v1/users/{}", peer.user);
    refused(&admin.json("PATCH", &peer, json!({"role": "user"})).await, 403, "forbidden");
    refused(&admin.delete(&peer).await, 403, "forbidden");
    refused(
        &admin.json("PATCH", &format!("/api/v1/users/{}", admin.user), json!({"role": "super_admin"})).await,
        403,
        "forbidden",
    );
    assert_eq!(admin.delete(&ben).await.status, 204);
    refused(&admin.get(&ben).await, 404, "not_found");

    let log = admin.get(&format!("/api/v1/audit?target={}", text(&made.data()["id"]))).await.data();
    let actions: Vec<String> = log.as_array().unwrap().iter().map(|line| text(&line["action"])).collect();
    assert_eq!(
        actions,
        ["user.remove", "user.change_quota", "user.change_role", "user.change_quota", "user.add"]
    );
    assert_eq!((&log[0]["actor"], &log[0]["address"]), (&json!(admin.user.to_string()), &json!("127.0.0.1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_suspended_is_out_at_once_and_comes_back() {
    let house = House::open().await;
    let moderator = house.user("mod", Role::Moderator).await;
    let ben = house.user("ben", Role::Enterprise).await;
    let program = house.program(&ben, &["read"]).await;
    let path = format!("/api/v1/users/{}/status", ben.user);
    assert_eq!(moderator.json("PUT", &path, json!({"status": "suspended"})).await.status, 200);
    refused(&ben.get("/api/v1/me").await, 401, "unauthorized");
    refused(&program.get("/api/v1/me").await, 401, "unauthorized");
    assert_eq!(moderator.json("PUT", &path, json!({"status": "active"})).await.status, 200);
    assert_eq!(program.get("/api/v1/me").await.status, 200);
    let own = format!("/api/v1/users/{}/status", moderator.user);
    refused(&moderator.json("PUT", &own, json!({"status": "banned"})).await, 403, "forbidden");
    refused(
        &moderator.json("PATCH", &format!("/api/v1/users/{}", ben.user), json!({"name": "x"})).await,
        403,
        "forbidden",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_admin_stays() {
    let house = House::open().await;
    let boss = house.user("boss", Role::SuperAdmin).await;
    let own = format!("/api/v1/users/{}", boss.user);
    refused(&boss.json("PATCH", &own, json!({"role": "user"})).await, 409, "conflict");
    refused(&boss.delete(&own).await, 409, "conflict");
    assert_eq!(boss.get("/api/v1/me").await.data()["role"], "super_admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_listed_in_pages_and_found() {
    let house = House::open().await;
    let boss = house.user("boss", Role::SuperAdmin).await;
    for name in ["u1", "u2", "u3"] {
        house.user(name, Role::User).await;
    }
    let first = boss.get("/api/v1/users?search=example.org&role=user&limit=2").await;
    assert_eq!(first.rows(), 2);
    let next = text(&first.value()["next"]);
    let second = boss.get(&format!("/api/v1/users?search=example.org&role=user&limit=2&after={next}")).await;
    assert_eq!(second.data()[0]["name"], "u3");
    refused(&boss.get("/api/v1/users?role=root").await, 422, "invalid");
    assert_eq!(boss.get("/api/v1/queues").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_owns_the_machine_needs_no_account() {
    let house = House::open().await;
    let ben = house.user("ben", Role::User).await;
    let admin = |arguments: &[&str]| {
        let mut command = crate::desk::command();
        command.arg("admin").args(arguments).env("SFA_DATA_DIR", house.desk.path("data"));
        command.env_remove("SFA_DATABASE_URL").output().unwrap()
    };
    assert!(admin(&["promote", "Ben@example.org", "--role", "moderator"]).status.success());
    assert_eq!(ben.get("/api/v1/me").await.data()["role"], "moderator");
    assert!(!admin(&["promote", "ben@example.org", "--role", "system"]).status.success());
    assert!(!admin(&["promote", "nobody@example.org"]).status.success());
    let reset = admin(&["reset-password", "ben@example.org"]);
    let password = crate::desk::stdout(&reset).trim().to_owned();
    // What another process changes is seen a moment later.
    while ben.get("/api/v1/me").await.status == 200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    refused(&ben.get("/api/v1/me").await, 401, "unauthorized");
    let log_in = json!({"email": "ben@example.org", "password": password});
    assert_eq!(house.anybody().post("/api/v1/login", log_in).await.status, 200);
}
