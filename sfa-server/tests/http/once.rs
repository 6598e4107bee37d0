//! Requests with an `Idempotency-Key`.

use std::time::Duration;

use serde_json::json;
use sfa_core::library::{KeyedRequest, Role, Scope};
use sfa_server::http::{ServeOptions, Server};

use crate::house::{Client, House, refused};

const PATH: &str = "/api/v1/playlists";

fn keyed(client: &Client, key: &str) -> Client {
    client.with("idempotency-key", key)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_twice_is_done_once() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let once = keyed(&ann, "a1");
    let first = once.post(PATH, json!({"name": "x"})).await;
    let second = once.post(PATH, json!({"name": "x"})).await;
    assert_eq!((first.status, second.status, &first.body), (201, 201, &second.body));
    assert_eq!(first.header("content-type"), second.header("content-type"));
    assert_eq!(
        (first.header("idempotency-replayed"), second.header("idempotency-replayed").as_str()),
        (String::new(), "true")
    );
    assert_eq!(ann.get(PATH).await.rows(), 1);
    // Another body, another user, another key.
    refused(&once.post(PATH, json!({"name": "y"})).await, 422, "invalid");
    let ben = house.user("ben", Role::User).await;
    assert_eq!(keyed(&ben, "a1").post(PATH, json!({"name": "x"})).await.status, 201);
    refused(&keyed(&ann, "a2").post(PATH, json!({"name": "x"})).await, 409, "conflict");
    for wrong in ["", "ü", &"k".repeat(256)] {
        refused(&keyed(&ann, wrong).post(PATH, json!({"name": "z"})).await, 422, "invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_is_done() {
    let house = House::open().await;
    let once = keyed(&house.user("ann", Role::User).await, "a1");
    let answers = futures_util::future::join_all((0..8).map(|_| once.post(PATH, json!({"name": "x"})))).await;
    for answer in &answers {
        match answer.status {
            201 => assert_eq!(answer.data()["name"], "x"),
            _ => {
                refused(answer, 409, "conflict");
                assert_eq!(answer.header("retry-after"), "1");
            }
        }
    }
    assert_eq!(once.get(PATH).await.rows(), 1);
    assert_eq!(once.post(PATH, json!({"name": "x"})).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_worked_on_is_not_begun_again() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let body = json!({"name": "x"});
    let parts = [PATH.as_bytes(), b"application/json", &body.to_string().into_bytes()];
    let request = KeyedRequest::new(format!("POST {PATH}"), "a1".to_owned(), &parts);
    let (rows, scope) = (house.library.rows(), Scope::of(ann.user));
    rows.begin_request(scope, &request, Duration::from_secs(60)).await.unwrap();
    refused(&keyed(&ann, "a1").post(PATH, body).await, 409, "conflict");
    assert_eq!(ann.get(PATH).await.rows(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_outlives_the_server() {
    let house = House::open().await;
    let once = keyed(&house.user("ann", Role::User).await, "a1");
    let first = once.post(PATH, json!({"name": "x"})).await;
    let library = house.library.clone();
    house.server.shutdown().await;
    let mut options = ServeOptions::default();
    options.listen = ([127, 0, 0, 1], 0).into();
    let server = Server::start(library, options).await.unwrap();
    let once = Client { address: server.address(), ..once };
    assert_eq!(once.post(PATH, json!({"name": "x"})).await.body, first.body);
    assert_eq!(once.get(PATH).await.rows(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_may_be_tried_again() {
    let house = House::open().await;
    let once = keyed(&house.user("ann", Role::User).await, "a1");
    refused(&once.post(PATH, json!({"name": ""})).await, 422, "invalid");
    assert_eq!(once.post(PATH, json!({"name": "x"})).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_a_secret_is_not_kept() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let make = json!({"label": "script", "scopes": ["read"]});
    let once = keyed(&ann, "a1");
    let made = once.post("/api/v1/tokens", make.clone()).await;
    assert_eq!(made.status, 201);
    refused(&once.post("/api/v1/tokens", make).await, 409, "done_before");
    assert_eq!(ann.get("/api/v1/tokens").await.rows(), 1);
    let secret = crate::house::text(&made.data()["secret"]);
    for file in house.files() {
        let bytes = std::fs::read(house.desk.path("data").join(file)).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}
