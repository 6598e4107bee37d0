//! Requests that may come twice.

use std::time::Duration;

use serde_json::json;
use sfa_core::library::{Begun, KeptAnswer, KeyedRequest};

use crate::{Desk, cases};

cases![
    a_request_is_done_once_and_answered_again,
    a_key_is_one_users_for_one_route,
    a_key_belongs_to_one_request,
    of_many_at_once_one_begins,
    what_came_to_nothing_may_be_tried_again,
    what_was_left_unfinished_begins_anew,
];

const PATIENT: Duration = Duration::from_secs(60);

fn request(route: &str, body: &str) -> KeyedRequest {
    KeyedRequest::new(route.to_owned(), "key".to_owned(), &[body.as_bytes()])
}

fn answer() -> KeptAnswer {
    KeptAnswer { status: 201, headers: json!({"location": "/x"}), body: Some("{\"data\":\"ü\"}".to_owned()) }
}

async fn begin(desk: &Desk, request: &KeyedRequest) -> Begun {
    desk.database.begin_request(desk.ann, request, PATIENT).await.unwrap()
}

async fn begin_first(desk: &Desk, request: &KeyedRequest) -> i64 {
    match begin(desk, request).await {
        Begun::Now(number) => number,
        other => panic!("it was new: {other:?}"),
    }
}

async fn a_request_is_done_once_and_answered_again(desk: Desk) {
    let request = request("POST /x", "body");
    let number = begin_first(&desk, &request).await;
    assert_eq!(begin(&desk, &request).await, Begun::Already);
    desk.database.answer_request(desk.ann, &request, number, &answer()).await.unwrap();
    assert_eq!(begin(&desk, &request).await, Begun::Answered(answer()));
    assert_eq!(begin(&desk, &request).await, Begun::Answered(answer()));
    desk.database.forget_request(desk.ann, &request, number).await.unwrap();
    assert_eq!(begin(&desk, &request).await, Begun::Answered(answer()), "an answer stays");
}

async fn a_key_is_one_users_for_one_route(desk: Desk) {
    let request = request("POST /x", "body");
    begin_first(&desk, &request).await;
    let his = desk.database.begin_request(desk.ben, &request, PATIENT).await.unwrap();
    assert!(matches!(his, Begun::Now(_)));
    begin_first(&desk, &KeyedRequest { route: "POST /y".to_owned(), ..request }).await;
}

async fn a_key_belongs_to_one_request(desk: Desk) {
    let first = request("POST /x", "body");
    let number = begin_first(&desk, &first).await;
    let other = request("POST /x", "another");
    assert_eq!(begin(&desk, &other).await, Begun::Another);
    desk.database.answer_request(desk.ann, &first, number, &answer()).await.unwrap();
    assert_eq!(begin(&desk, &other).await, Begun::Another);
    let (short, long) = (KeyedRequest::new(String::new(), String::new(), &[b"ab", b"c"]), [&b"a"[..], b"bc"]);
    assert_ne!(short.fingerprint, KeyedRequest::new(String::new(), String::new(), &long).fingerprint);
}

async fn of_many_at_once_one_begins(desk: Desk) {
    let request = request("POST /x", "body");
    let begun = futures_util::future::join_all((0..8).map(|_| begin(&desk, &request))).await;
    let first = begun.iter().filter(|begun| matches!(begun, Begun::Now(_))).count();
    assert_eq!((first, begun.iter().filter(|begun| **begun == Begun::Already).count()), (1, 7));
}

async fn what_came_to_nothing_may_be_tried_again(desk: Desk) {
    let request = request("POST /x", "body");
    let number = begin_first(&desk, &request).await;
    desk.database.forget_request(desk.ann, &request, number).await.unwrap();
    begin_first(&desk, &request).await;
}

async fn what_was_left_unfinished_begins_anew(desk: Desk) {
    let request = request("POST /x", "body");
    let old = begin_first(&desk, &request).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let begun = desk.database.begin_request(desk.ann, &request, Duration::ZERO).await.unwrap();
    let Begun::Now(new) = begun else { panic!("nobody works on it any more: {begun:?}") };
    let late = KeptAnswer { status: 500, ..answer() };
    desk.database.answer_request(desk.ann, &request, old, &late).await.unwrap();
    desk.database.answer_request(desk.ann, &request, new, &answer()).await.unwrap();
    assert_eq!(begin(&desk, &request).await, Begun::Answered(answer()), "the second one's answer counts");
}
