//! Files: parts of them, links to them, and who gets them.

use serde_json::json;
use sfa_core::library::{Actor, Role, UserEdit, UserStatus};

use crate::house::{House, refused, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_whole_in_parts_and_not_twice() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let song = house.song("a.wav", 200_000);
    let made = ann.post_bytes("/api/v1/tracks?name=%C3%84%20%22x%22.wav", song.clone()).await;
    let url = text(&made.data()["track"]["file"]["url"]);
    let whole = ann.get(&url).await;
    assert_eq!((whole.status, whole.body.len()), (200, song.len()));
    assert!(whole.body == song, "in pieces, but all of it");
    assert_eq!(whole.header("content-type"), "audio/wav");
    assert_eq!(whole.header("content-length"), song.len().to_string());
    assert_eq!(whole.header("cache-control"), "private, max-age=31536000, immutable");
    assert!(whole.header("content-disposition").starts_with("inline; filename=\""));
    let etag = whole.header("etag");
    assert_eq!(ann.with("if-none-match", &etag).get(&url).await.status, 304);

    let end = song.len() - 1;
    for (range, expected) in
        [("bytes=0-3", 0..4), ("bytes=150000-150009", 150_000..150_010), ("bytes=-1", end..end + 1)]
    {
        let part = ann.with("range", range).get(&url).await;
        assert_eq!((part.status, &part.body[..]), (206, &song[expected.clone()]), "{range}");
        let said = format!("bytes {}-{}/{}", expected.start, expected.end - 1, song.len());
        assert_eq!(part.header("content-range"), said);
    }
    let many = format!("bytes={}", ["0-"; 1000].join(","));
    for wrong in ["bytes=9999999-", "bytes=5-4", "bytes=0-1,3-4", many.as_str()] {
        let answer = ann.with("range", wrong).get(&url).await;
        refused(&answer, 416, "no_such_range");
        assert_eq!(answer.header("content-range"), format!("bytes */{}", song.len()));
    }
    let other = ann.with("range", "bytes=0-3").with("if-range", "\"other\"").get(&url).await;
    assert_eq!((other.status, other.body.len()), (200, song.len()));
    let head = ann.send("HEAD", &url, "").await;
    assert_eq!(
        (head.status, head.body.len(), head.header("content-length")),
        (200, 0, song.len().to_string())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_one_file_for_a_while() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::User).await, house.user("ben", Role::User).await);
    let made = ann.post_bytes("/api/v1/tracks?name=a.wav", house.song("a.wav", 9007)).await;
    let hash = text(&made.data()["track"]["file"]["hash"]);
    let path = format!("/api/v1/files/{hash}/link");
    let body = |secs: u64| json!({"lifetime_secs": secs, "file_name": "for you.wav"});
    let link = text(&ann.post(&path, body(60)).await.data()["url"]);
    let anybody = house.anybody();
    let file = anybody.get(&link).await;
    assert_eq!((file.status, file.header("content-type")), (200, "audio/wav".to_owned()));
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"for you.wav\""));
    for wrong in [
        format!("/files/{hash}"),
        link.replace("exp=1", "exp=2"),
        link.replace(&hash, &hash.replace(['0', '1'], "2")),
    ] {
        refused(&anybody.get(&wrong).await, 404, "not_found");
    }
    refused(&ben.post(&path, body(60)).await, 404, "not_found");
    refused(&ann.post(&path, body(0)).await, 422, "invalid");
    refused(&ann.post(&path, body(u64::MAX)).await, 422, "invalid");

    let suspension = UserEdit { status: Some(UserStatus::Suspended), ..UserEdit::default() };
    house.library.rows().edit_user(&Actor::at_the_machine(ann.user), ann.user, &suspension).await.unwrap();
    refused(&anybody.get(&link).await, 404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_its_owners_and_runs_nowhere() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::User).await, house.user("ben", Role::SuperAdmin).await);
    let made = ann.post_bytes("/api/v1/tracks?name=a.wav", house.song("a.wav", 9007)).await;
    let hash = text(&made.data()["track"]["file"]["hash"]);
    refused(&ben.get(&format!("/api/v1/files/{hash}/a.wav")).await, 404, "not_found");
    for name in ["a.html", "a.svg", "a.xhtml", "a"] {
        let answer = ann.get(&format!("/api/v1/files/{hash}/{name}")).await;
        assert_eq!(answer.header("content-type"), "application/octet-stream", "{name}");
        assert!(answer.header("content-disposition").starts_with("attachment"), "{name}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("content-security-policy").contains("sandbox"));
    }
    for wrong in
        ["..", "%2e%2e%2fsecret", "..%2f..%2fsecret", "x%00", "%ff", &hash[1..], &hash.to_uppercase()]
    {
        refused(&ann.get(&format!("/api/v1/files/{wrong}/a.wav")).await, 404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn songs_of_which_files_are_gone_are_told_and_come_back() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::User).await, house.user("ben", Role::User).await);
    let song = house.song("a.wav", 9011);
    let made = ann.post_bytes("/api/v1/tracks?name=a.wav", song.clone()).await.data()["track"].clone();
    assert_eq!(ann.get("/api/v1/tracks/missing").await.data(), json!([]));
    house.library.files().remove(&text(&made["file"]["hash"])).await.unwrap();
    // Whoever wants it finds out.
    refused(&ann.get(&text(&made["file"]["url"])).await, 404, "not_found");
    let gone = json!([{"track": made["id"], "is_song_gone": true, "results_gone": 0}]);
    assert_eq!(ann.get("/api/v1/tracks/missing").await.data(), gone);
    assert_eq!(ben.get("/api/v1/tracks/missing").await.data(), json!([]), "others' songs");
    assert_eq!(ann.post_bytes("/api/v1/tracks?name=again.wav", song).await.status, 200);
    assert_eq!(ann.get("/api/v1/tracks/missing").await.data(), json!([]));
}
