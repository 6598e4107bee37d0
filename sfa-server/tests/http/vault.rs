//! Secrets that are kept for users.

use serde_json::json;
use sfa_core::library::{Role, Scope};

use crate::house::{House, refused, text};

const CANARY: &str = "sk-canary-0123456789";

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_goes_in_and_never_comes_out() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let ben = house.user("ben", Role::SuperAdmin).await;
    let put = async |value: &str| ann.json("PUT", "/api/v1/vault/openai", json!({ "value": value })).await;
    assert_eq!(put("first").await.status, 204);
    assert_eq!(put(CANARY).await.status, 204);
    refused(&put("").await, 422, "invalid");
    refused(&put(&"x".repeat(8193)).await, 422, "invalid");
    let listed = ann.get("/api/v1/vault").await;
    assert_eq!((listed.rows(), text(&listed.data()[0]["name"]).as_str()), (1, "openai"));
    assert!(!String::from_utf8_lossy(&listed.body).contains(CANARY));
    assert_eq!(ben.get("/api/v1/vault").await.rows(), 0);
    refused(&ben.delete("/api/v1/vault/openai").await, 404, "not_found");
    refused(
        &house.program(&ann, &["read", "write", "admin"]).await.get("/api/v1/vault").await,
        403,
        "forbidden",
    );

    let scope = Scope::of(ann.user);
    assert_eq!(house.library.secret(scope, "openai").await.unwrap(), CANARY);
    assert!(house.library.secret(Scope::of(ben.user), "openai").await.is_err());
    for file in house.files() {
        let bytes = std::fs::read(house.desk.path("data").join(&file)).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "{}", file.display());
    }
    let log = ben.get("/api/v1/audit?target=openai").await;
    assert_eq!(log.rows(), 2);
    assert!(!String::from_utf8_lossy(&log.body).contains(CANARY));
    assert_eq!(ann.delete("/api/v1/vault/openai").await.status, 204);
    assert_eq!(ann.get("/api/v1/vault").await.rows(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_changed_while_the_server_runs() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Pro).await;
    let scope = Scope::of(ann.user);
    for number in 0..150 {
        house
            .library
            .put_secret(
                &sfa_core::library::Actor::at_the_machine(ann.user),
                scope,
                &format!("s{number:03}"),
                CANARY,
            )
            .await
            .unwrap();
    }
    let kept = async || house.library.rows().sealed(scope).await.unwrap();
    let before = kept().await;
    let rotated = crate::desk::command()
        .args(["vault", "rotate"])
        .env("SFA_DATA_DIR", house.desk.path("data"))
        .env_remove("SFA_DATABASE_URL")
        .env_remove("SFA_VAULT_SECRETS")
        .output()
        .unwrap();
    assert_eq!(crate::desk::stdout(&rotated).trim(), "secrets encrypted anew: 150", "{rotated:?}");
    let after = kept().await;
    for (old, new) in before.iter().zip(&after) {
        assert!(old.key_id != new.key_id && old.sealed != new.sealed && new.key_id == after[0].key_id);
    }
    assert_eq!(house.library.secret(scope, "s149").await.unwrap(), CANARY, "the server knows the new key");
    assert_eq!(ann.json("PUT", "/api/v1/vault/s000", json!({"value": "other"})).await.status, 204);
    assert_eq!(kept().await[0].key_id, after[0].key_id, "and uses it");
}
