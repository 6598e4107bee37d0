//! What happens, as it happens.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sfa_core::library::{Actor, Change, NewJob, Role, Scope, Step, UserEdit, UserStatus};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::house::{Client, House, refused, text};

/// Long enough for a busy machine; what is awaited comes long before.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub(crate) async fn open(client: &Client) -> Result<Self, u16> {
        Self::open_at(client, "/api/v1/live").await
    }

    pub(crate) async fn open_at(client: &Client, path: &str) -> Result<Self, u16> {
        let stream = TcpStream::connect(client.address).await.unwrap();
        let mut request = format!("ws://{}{path}", client.address).into_client_request().unwrap();
        for (name, value) in &client.headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn say(&mut self, command: Value) {
        self.0.send(Message::text(command.to_string())).await.unwrap();
    }

    /// The next piece, or the code that it was closed with.
    pub(crate) async fn hear(&mut self) -> Result<Value, u16> {
        let hearing = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(text.as_str()).unwrap()),
                    Some(Ok(Message::Close(frame))) => {
                        return Err(frame.map_or(1005, |frame| frame.code.into()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(1006),
                }
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.expect("something comes")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_shown_then_told_and_resumed() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    house.track(&ann, "a.wav", 9001).await;
    let mut socket = Socket::open(&ann).await.unwrap();
    socket.say(json!({"type": "subscribe", "topic": "library"})).await;
    let shown = socket.hear().await.unwrap();
    assert_eq!((&shown["type"], &shown["data"]["tracks"]), (&json!("snapshot"), &json!(1)));
    let seq = shown["seq"].as_i64().unwrap();
    let id = house.track(&ann, "b.wav", 9002).await;
    let told = socket.hear().await.unwrap();
    assert_eq!((&told["type"], &told["kind"]), (&json!("event"), &json!("track.added")));
    assert_eq!((&told["seq"], &told["payload"]["track"]), (&json!(seq + 1), &json!(id)));
    let row = socket.hear().await.unwrap();
    assert_eq!((&row["kind"], &row["payload"]["tracks"][0]["id"]), (&json!("tracks"), &json!(id)));

    let mut again = Socket::open(&ann).await.unwrap();
    again.say(json!({"type": "subscribe", "topic": "library", "after": seq})).await;
    assert_eq!(again.hear().await.unwrap(), told, "nothing is missed");
    assert_eq!(again.hear().await.unwrap(), row);
    // From an event that never was, it begins anew.
    again.say(json!({"type": "subscribe", "topic": "library", "after": seq + 99})).await;
    while again.hear().await.unwrap()["type"] != "snapshot" {}

    // The library tells whole rows as well, a moment later.
    let of_track = async |socket: &mut Socket| {
        let topic = format!("track:{id}");
        loop {
            let heard = socket.hear().await.unwrap();
            if heard["topic"] == topic.as_str() {
                return heard;
            }
        }
    };
    socket.say(json!({"type": "subscribe", "topic": format!("track:{id}")})).await;
    assert_eq!(of_track(&mut socket).await["data"]["track"]["title"], "b");
    socket.say(json!({"type": "unsubscribe", "topic": "library"})).await;
    let edit = Change::EditTrack(id.parse().unwrap(), Default::default());
    house.library.apply(Scope::of(ann.user), vec![edit]).await.unwrap();
    assert_eq!(of_track(&mut socket).await["kind"], "track.edited");
}

/// Asks for work that nobody does.
async fn process(house: &House, owner: &Client, track: &str) -> String {
    let scope = Scope::of(owner.user);
    let asked = house.library.process(scope, track.parse().unwrap(), Step::Analyze).await.unwrap();
    asked.id().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_shows_all_work_and_a_job_its_own() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let id = house.track(&ann, "a.wav", 9001).await;
    let mut library = Socket::open(&ann).await.unwrap();
    library.say(json!({"type": "subscribe", "topic": "library"})).await;
    assert_eq!(library.hear().await.unwrap()["data"], json!({"tracks": 1, "jobs": []}));
    let job = process(&house, &ann, &id).await;
    let told = library.hear().await.unwrap();
    let track = ann.get(&format!("/api/v1/tracks/{id}")).await.data();
    assert_eq!((&told["kind"], &track["status"]), (&json!("tracks"), &json!("working")));
    assert_eq!(told["payload"]["tracks"], json!([track]));
    let told = library.hear().await.unwrap();
    let shown = async || ann.get(&format!("/api/v1/jobs/{job}")).await.data();
    assert_eq!((&told["kind"], &told["payload"]["jobs"]), (&json!("jobs"), &json!([shown().await])));

    let mut socket = Socket::open(&ann).await.unwrap();
    let topic = format!("job:{job}");
    socket.say(json!({"type": "subscribe", "topic": topic, "after": 7})).await;
    let snapshot = json!({"type": "snapshot", "topic": topic, "seq": 0, "data": {"job": shown().await}});
    assert_eq!(socket.hear().await.unwrap(), snapshot);
    let other = house.track(&ann, "b.wav", 9002).await;
    process(&house, &ann, &other).await;
    assert_eq!(ann.post(&format!("/api/v1/jobs/{job}/cancel"), json!({})).await.status, 202);
    let told = json!({"type": "event", "topic": topic, "seq": 1, "kind": "job", "payload": shown().await});
    assert_eq!((socket.hear().await.unwrap(), &shown().await["state"]), (told, &json!("cancelled")));

    library.say(json!({"type": "subscribe", "topic": "library"})).await;
    let unfinished = loop {
        let heard = library.hear().await.unwrap();
        if heard["type"] == "snapshot" {
            break heard["data"]["jobs"].clone();
        }
    };
    assert_eq!(unfinished.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_for_its_time_says_when() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let mut job = NewJob::new("nobody", "later", json!({}));
    job.delay = Duration::from_secs(3600);
    house.library.apply(Scope::of(ann.user), vec![Change::Enqueue(job)]).await.unwrap();
    let jobs = ann.get("/api/v1/jobs").await.data();
    let (next, made) = (&jobs[0]["next_attempt_at_ms"], &jobs[0]["created_at_ms"]);
    assert!(next.as_i64().unwrap() >= made.as_i64().unwrap() + 3_590_000, "{jobs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_come_and_are_read() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let mut socket = Socket::open(&ann).await.unwrap();
    socket.say(json!({"type": "subscribe", "topic": "notifications"})).await;
    assert_eq!(socket.hear().await.unwrap()["data"], json!({"notifications": []}));
    house.track(&ann, "a.wav", 9001).await;
    let said = Change::Notify { kind: "test".to_owned(), text: "hello".to_owned(), track: None };
    house.library.apply(Scope::of(ann.user), vec![said]).await.unwrap();
    let told = socket.hear().await.unwrap();
    assert_eq!((&told["seq"], &told["kind"]), (&json!(1), &json!("notification")));
    assert_eq!(told["payload"]["text"], "hello");
    assert_eq!(ann.post("/api/v1/notifications/read", json!({})).await.status, 204);
    assert_eq!(socket.hear().await.unwrap()["kind"], "notifications.read");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_is_for_admins_as_long_as_they_are() {
    let house = House::open().await;
    let (boss, ann) = (house.user("boss", Role::SuperAdmin).await, house.user("ann", Role::Admin).await);
    let user = house.user("ben", Role::Pro).await;
    let follow = json!({"type": "subscribe", "topic": "system"});
    let mut socket = Socket::open(&user).await.unwrap();
    socket.say(follow.clone()).await;
    assert_eq!(socket.hear().await.unwrap()["code"], "forbidden");
    let mut program = Socket::open(&house.program(&ann, &["read"]).await).await.unwrap();
    program.say(follow.clone()).await;
    assert_eq!(program.hear().await.unwrap()["code"], "forbidden", "the token has no scope for it");

    let (mut early, mut late) = (Socket::open(&ann).await.unwrap(), Socket::open(&ann).await.unwrap());
    early.say(follow.clone()).await;
    let shown = early.hear().await.unwrap();
    assert_eq!((&shown["data"]["queues"], &shown["data"]["workers"]), (&json!([]), &json!([])));
    let track = house.track(&user, "a.wav", 9001).await;
    process(&house, &user, &track).await;
    let told = early.hear().await.unwrap();
    assert_eq!((&told["seq"], &told["payload"]["queues"][0]["waiting"]), (&json!(1), &json!(1)), "{told}");

    let demoted = boss.json("PATCH", &format!("/api/v1/users/{}", ann.user), json!({"role": "user"})).await;
    assert_eq!(demoted.status, 200);
    assert_eq!(early.hear().await, Err(4403));
    late.say(follow).await;
    assert_eq!(late.hear().await.unwrap()["code"], "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_of_others_and_nonsense_are_refused() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::User).await, house.user("ben", Role::SuperAdmin).await);
    let id = house.track(&ann, "a.wav", 9001).await;
    let job = process(&house, &ann, &id).await;
    let mut socket = Socket::open(&ben).await.unwrap();
    for (command, code) in [
        (json!({"type": "subscribe", "topic": format!("track:{id}")}), "not_found"),
        (json!({"type": "subscribe", "topic": "track:x"}), "not_found"),
        (json!({"type": "subscribe", "topic": format!("job:{job}")}), "not_found"),
        (json!({"type": "subscribe", "topic": "job:x"}), "not_found"),
        (json!({"type": "subscribe", "topic": format!("library:{}", ann.user)}), "invalid"),
        (json!({"type": "dance"}), "invalid"),
        (json!(7), "invalid"),
    ] {
        socket.say(command.clone()).await;
        let told = socket.hear().await.unwrap();
        assert_eq!((&told["type"], &told["code"]), (&json!("error"), &json!(code)), "{command}");
    }
    refused(&ben.get(&format!("/api/v1/live/sse?topic=track:{id}")).await, 404, "not_found");
    refused(&ben.get(&format!("/api/v1/live/sse?topic=job:{job}")).await, 404, "not_found");
    refused(&ann.get("/api/v1/live/sse?topic=system").await, 403, "forbidden");
    socket.say(json!("x".repeat(10_000))).await;
    assert!(socket.hear().await.is_err(), "nobody sends that much");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_gets_no_socket() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    assert_eq!(Socket::open(&house.anybody()).await.err(), Some(401));
    assert_eq!(Socket::open(&ann.with("origin", "https://evil.example")).await.err(), Some(403));
    assert_eq!(Socket::open(&ann.with("origin", "null")).await.err(), Some(403));
    let own = format!("http://{}", ann.address);
    assert!(Socket::open(&ann.with("origin", &own)).await.is_ok());
    assert!(Socket::open(&house.program(&ann, &["read"]).await).await.is_ok());
    assert_eq!(Socket::open(&house.program(&ann, &["write"]).await).await.err(), Some(403));
    refused(&ann.get("/api/v1/live").await, 426, "not_a_websocket");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_signed_in_any_more_hears_nothing_more() {
    let house = House::open().await;
    let (boss, ann) = (house.user("boss", Role::SuperAdmin).await, house.user("ann", Role::User).await);
    let mut here = Socket::open(&ann).await.unwrap();
    let other = house.anybody().with("cookie", &format!("sfa={}", house.session(ann.user).await.reveal()));
    let mut there = Socket::open(&other).await.unwrap();
    assert_eq!(other.post("/api/v1/logout", json!({})).await.status, 204);
    assert_eq!(there.hear().await, Err(4401));
    here.say(json!({"type": "subscribe", "topic": "library"})).await;
    assert_eq!(here.hear().await.unwrap()["type"], "snapshot", "her other session goes on");

    let tokens = ann.post("/api/v1/tokens", json!({"label": "x", "scopes": ["read"]})).await.data();
    let program = house.anybody().with("authorization", &format!("Bearer {}", text(&tokens["secret"])));
    let mut by_token = Socket::open(&program).await.unwrap();
    assert_eq!(ann.delete(&format!("/api/v1/tokens/{}", text(&tokens["id"]))).await.status, 204);
    assert_eq!(by_token.hear().await, Err(4401));

    let path = format!("/api/v1/users/{}/status", ann.user);
    assert_eq!(boss.json("PUT", &path, json!({"status": "suspended"})).await.status, 200);
    assert_eq!(here.hear().await, Err(4401));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_node_revokes_is_noticed_by_all_whom_it_concerns() {
    let house = House::with(|options| options.round_time = Duration::from_millis(50)).await;
    let (ann, ben) = (house.user("ann", Role::User).await, house.user("ben", Role::Admin).await);
    let program = house.program(&ann, &["read"]).await;
    let mut hers = Socket::open(&ann).await.unwrap();
    let mut by_token = Socket::open(&program).await.unwrap();
    let mut his = Socket::open(&ben).await.unwrap();
    his.say(json!({"type": "subscribe", "topic": "system"})).await;
    assert_eq!(his.hear().await.unwrap()["type"], "snapshot");
    hers.say(json!({"type": "subscribe", "topic": "library"})).await;
    assert_eq!(hers.hear().await.unwrap()["type"], "snapshot");

    // Past the server, as another one does it.
    let rows = house.library.rows();
    let token = rows.tokens(Scope::of(ann.user)).await.unwrap().remove(0);
    rows.revoke_token(Scope::of(ann.user), token.id).await.unwrap();
    assert_eq!(by_token.hear().await, Err(4401));
    let root = Actor::at_the_machine(ben.user);
    house.user("boss", Role::SuperAdmin).await;
    let demotion = UserEdit { role: Some(Role::User), ..UserEdit::default() };
    rows.edit_user(&root, ben.user, &demotion).await.unwrap();
    assert_eq!(his.hear().await, Err(4403));
    let suspension = UserEdit { status: Some(UserStatus::Suspended), ..UserEdit::default() };
    rows.edit_user(&root, ann.user, &suspension).await.unwrap();
    assert_eq!(hers.hear().await, Err(4401));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_so() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let mut socket = Socket::open(&ann).await.unwrap();
    let (heard, ()) = tokio::join!(socket.hear(), house.server.shutdown());
    assert_eq!(heard, Err(1001));
    assert!(TcpStream::connect(ann.address).await.is_err(), "nothing listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_has_so_many_sockets() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::User).await, house.user("ben", Role::User).await);
    let mut open = Vec::new();
    while let Ok(socket) = Socket::open(&ann).await {
        open.push(socket);
    }
    assert_eq!(open.len(), 32);
    assert_eq!(Socket::open(&ann).await.err(), Some(429));
    assert!(Socket::open(&ben).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_is_resumed_by_its_last_id() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let lines = async |last_id: Option<&str>, until: &str| {
        let mut stream = TcpStream::connect(ann.address).await.unwrap();
        let (_, cookie) = &ann.headers[0];
        let last_id = last_id.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let head = format!(
            "GET /api/v1/live/sse?topic=library HTTP/1.1\r\nhost: {}\r\ncookie: {cookie}\r\n{last_id}\r\n",
            ann.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut heard, mut chunk) = (String::new(), [0; 4096]);
        while !heard.contains(until) {
            let reading = tokio::time::timeout(PATIENCE, stream.read(&mut chunk));
            let read = reading.await.expect("something comes").unwrap();
            assert!(read > 0, "{heard}");
            heard.push_str(&String::from_utf8_lossy(&chunk[..read]));
        }
        heard
    };
    let first = lines(None, "\"tracks\":0").await;
    assert!(
        first.contains("content-type: text/event-stream") && first.contains("event: snapshot"),
        "{first}"
    );
    let id = house.track(&ann, "a.wav", 9001).await;
    let resumed = lines(Some("0"), &id).await;
    assert!(resumed.contains("id: 1") && resumed.contains("event: track.added"), "{resumed}");
}
