//! What somebody tries who means no good.

use std::time::Duration;

use serde_json::json;
use sfa_core::library::Role;
use sfa_server::http::Rates;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::house::{Client, House, refused, text};

/// Sends bytes as they are, and returns what comes back until the other side closes.
async fn raw(client: &Client, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer));
    reading.await.expect("the server closes the connection").ok();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_changes_nothing() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let body = json!({"name": "x"});
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "null"),
        ("origin", "https://evil.example"),
    ] {
        refused(&ann.with(name, value).post("/api/v1/playlists", body.clone()).await, 403, "foreign_site");
    }
    // What a form of another site can send is no JSON.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let answer = ann.with("content-type", kind).send("POST", "/api/v1/playlists", body.to_string()).await;
        refused(&answer, 415, "unsupported_media_type");
    }
    assert_eq!(ann.get("/api/v1/playlists").await.rows(), 0);
    let own = ann.with("origin", &format!("http://{}", ann.address));
    assert_eq!(own.with("sec-fetch-site", "same-origin").post("/api/v1/playlists", body).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_site_reads_an_answer() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await.with("origin", "https://evil.example");
    for path in ["/api/v1/me", "/api/v1/nothing", "/health"] {
        let answer = ann.get(path).await;
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
    }
    let preflight =
        ann.with("access-control-request-method", "POST").send("OPTIONS", "/api/v1/tracks", "").await;
    assert_eq!(preflight.status, 405);
    assert_eq!(preflight.header("access-control-allow-origin"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_request_is_from_is_not_its_own_to_say() {
    let rates = Rates { browser: 3, program: 2, heavy: 1 };
    let house = House::with(|options| options.rates = rates).await;
    let anybody = house.anybody();
    for number in 0..3 {
        let spoofed = anybody.with("x-forwarded-for", &format!("192.0.2.{number}"));
        let answer = spoofed.get("/api/v1/server").await;
        assert_eq!((answer.status, answer.header("x-ratelimit-remaining")), (200, (2 - number).to_string()));
    }
    let late = anybody
        .with("x-forwarded-for", "198.51.100.1")
        .with("forwarded", "for=1.1.1.1")
        .get("/api/v1/server")
        .await;
    refused(&late, 429, "too_many_requests");
    assert!(late.header("retry-after").parse::<u64>().unwrap() > 0);
    assert_eq!(anybody.get("/health").await.status, 200, "probes are never too many");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_has_their_own_allowance_of_each_kind() {
    let rates = Rates { browser: 4, program: 2, heavy: 1 };
    let house = House::with(|options| options.rates = rates).await;
    let (ann, ben) = (house.user("ann", Role::User).await, house.user("ben", Role::User).await);
    let program = house.program(&ann, &["read"]).await;
    for _ in 0..9 {
        // As a page of another site has her browser do, without her cookie.
        house.anybody().get("/api/v1/me").await;
    }
    for _ in 0..2 {
        assert_eq!(program.get("/api/v1/me").await.status, 200);
    }
    refused(&program.get("/api/v1/me").await, 429, "too_many_requests");
    assert_eq!(ann.get("/api/v1/me").await.status, 200, "her browser has its own");
    assert_eq!(ben.get("/api/v1/me").await.status, 200);
    let made = ben.post_bytes("/api/v1/tracks", house.song("a.wav", 9001)).await;
    let url = text(&made.data()["track"]["file"]["url"]);
    for _ in 0..9 {
        assert_eq!(
            ben.with("range", "bytes=0-9").get(&url).await.status,
            206,
            "players ask as often as they like"
        );
    }
    let process = format!("/api/v1/tracks/{}/process", sfa_core::library::TrackId::random());
    refused(&ben.post(&process, json!({"from": "export"})).await, 404, "not_found");
    refused(&ben.post(&process, json!({"from": "export"})).await, 429, "too_many_requests");
    // Who guesses secrets is stopped like anybody.
    let guess = house.anybody().with("cookie", &format!("sfa=sfa_{}", "1".repeat(64)));
    for _ in 0..4 {
        refused(&guess.get("/api/v1/me").await, 401, "unauthorized");
    }
    refused(&guess.get("/api/v1/me").await, 429, "too_many_requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_lead_nowhere() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    for path in ["/files/../secret", "/files/%00"] {
        assert_eq!(ann.get(path).await.status, 404, "{path}");
    }
    for path in [
        "/api/v1/tracks/%2e%2e%2f",
        "/api/v1/tracks/..",
        "/api/v1/tracks/1%20or%201=1",
        "/api/v1//tracks",
        "/api/v1/secret",
    ] {
        refused(&ann.get(path).await, 404, "not_found");
    }
    // What is no address of the API is the studio's, which is one and the same page.
    let studio = ann.get("/").await;
    for path in ["/../secret", "/..%2f..%2fsecret", "/%2e%2e/secret", "//evil.example", "/secret"] {
        let answer = ann.get(path).await;
        assert_eq!((answer.status, &answer.body), (studio.status, &studio.body), "{path}");
    }
    refused(&ann.send("TRACE", "/api/v1/me", "").await, 405, "method_not_allowed");
    assert!(ann.send("DELETE", "/api/v1/settings", "").await.header("allow").contains("PUT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_files_are_only_names() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let long = "x".repeat(4000);
    let names = [
        "..%2F..%2Fetc%2Fpasswd",
        "C:%5Cx.wav",
        "CON",
        ".htaccess",
        "%E2%80%AEvaw.exe",
        "-i",
        "a%0d%0aset-cookie:x.wav",
        "%3Cimg%20src=x%20onerror=alert(1)%3E.wav",
        long.as_str(),
    ];
    for (frames, name) in (9001..).zip(names) {
        let made = ann.post_bytes(&format!("/api/v1/tracks?name={name}"), house.song("a.wav", frames)).await;
        assert_eq!(made.status, 201, "{name}: {made:?}");
        let file = &made.data()["track"]["file"];
        let shown = text(&file["name"]);
        assert!(
            !shown.contains(['/', '\\', '\0', '\r', '\n', '\u{202e}', '<']) && shown.len() <= 255,
            "{shown:?}"
        );
        assert_eq!(ann.get(&text(&file["url"])).await.status, 200, "{name}");
    }
    let outside = house.files().into_iter().filter(|file| {
        let first = file.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        !["files", "uploads", "secret"].contains(&first.as_str()) && !first.starts_with("library.sqlite")
    });
    assert_eq!(outside.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_searched_for_is_only_text() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    house.track(&ann, "a.wav", 9001).await;
    let long = "%25".repeat(2000);
    for search in
        ["'%20or%201=1--", "%22%20OR%20*", "a*%20NEAR(b)", "%25", "_", long.as_str(), "(((((", "%27;drop"]
    {
        let answer = ann.get(&format!("/api/v1/tracks?search={search}")).await;
        assert_eq!((answer.status, answer.rows()), (200, 0), "{search}");
    }
    assert_eq!(ann.get("/api/v1/tracks?search=a").await.rows(), 1);
    // One database takes NUL and the other does not: none is given any.
    refused(&ann.get("/api/v1/tracks?search=%00").await, 422, "invalid");
    refused(&ann.post("/api/v1/playlists", json!({"name": "a\0b"})).await, 422, "invalid");
    refused(&ann.post_bytes("/api/v1/tracks?name=%00.wav", house.song("a.wav", 9002)).await, 422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_themselves_more_than_they_are() {
    let house = House::with(|options| options.open_registration = true).await;
    let ann = house.user("ann", Role::User).await;
    for body in [json!({"name": "x", "role": "admin"}), json!({"name": "x", "quota_bytes": null})] {
        refused(&ann.json("PATCH", "/api/v1/me", body).await, 422, "invalid");
    }
    let account =
        json!({"name": "x", "email": "x@example.org", "password": "a long password", "role": "admin"});
    refused(&ann.post("/api/v1/register", account).await, 422, "invalid");
    let id = house.track(&ann, "a.wav", 9001).await;
    let track = json!({"title": "x", "user_id": "x"});
    refused(&ann.json("PATCH", &format!("/api/v1/tracks/{id}"), track).await, 422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_can_be_read_in_two_ways_are_not_read() {
    let house = House::open().await;
    let anybody = house.anybody();
    let both =
        b"POST /api/v1/login HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n\
        0\r\n\r\nGET /api/v1/me HTTP/1.1\r\nhost: a\r\n\r\n";
    let answer = raw(&anybody, both).await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "one request, and the connection is closed: {answer}");
    let twice =
        b"POST /api/v1/login HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcde";
    assert!(raw(&anybody, twice).await.starts_with("HTTP/1.1 400"));
    let long = format!("GET /health HTTP/1.1\r\nhost: a\r\nx-long: {}\r\n\r\n", "x".repeat(65_536));
    assert!(raw(&anybody, long.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let many = format!("GET /health HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(500));
    assert!(raw(&anybody, many.as_bytes()).await.starts_with("HTTP/1.1 431"));
    assert!(raw(&anybody, b"\x16\x03\x01\x00\xa5 not http\r\n\r\n").await.starts_with("HTTP/1.1 400"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_finishes_is_not_waited_for() {
    let house = House::with(|options| options.request_time = Duration::from_millis(200)).await;
    let ann = house.user("ann", Role::User).await;
    let (_, cookie) = &ann.headers[0];
    let slow = format!(
        "POST /api/v1/playlists HTTP/1.1\r\nhost: {}\r\ncookie: {cookie}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\nconnection: close\r\n\r\n{{",
        ann.address
    );
    assert!(raw(&ann, slow.as_bytes()).await.starts_with("HTTP/1.1 408"));
    let large = ann.post("/api/v1/playlists", json!({"name": "x".repeat(300_000)})).await;
    refused(&large, 413, "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_come_or_does_not_end_leaves_nothing() {
    let request_time = Duration::from_millis(200);
    let house = House::with(|options| {
        options.request_time = request_time;
        options.most_upload_bytes = 20_000;
    })
    .await;
    let ann = house.user("ann", Role::User).await;
    let (_, cookie) = &ann.headers[0];
    let head = format!("POST /api/v1/tracks HTTP/1.1\r\nhost: {}\r\ncookie: {cookie}\r\n", ann.address);
    let silent = format!("{head}content-length: 10000\r\nconnection: close\r\n\r\nRIFF");
    assert!(raw(&ann, silent.as_bytes()).await.starts_with("HTTP/1.1 408"));
    let endless = format!(
        "{head}transfer-encoding: chunked\r\nconnection: close\r\n\r\n{}",
        format!("1000\r\n{}\r\n", "x".repeat(0x1000)).repeat(6)
    );
    assert!(raw(&ann, endless.as_bytes()).await.starts_with("HTTP/1.1 413"));
    let left: Vec<_> = house.files().into_iter().filter(|file| file.starts_with("uploads")).collect();
    assert!(left.is_empty(), "{left:?}");
}
