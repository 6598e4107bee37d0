//! Songs that come in several requests, some of which break off.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sfa_core::Studio;
use sfa_core::library::{LibraryConfig, Role, UserId};
use sfa_core::models::ModelStore;
use sfa_server::http::{ServeOptions, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::desk::Desk;
use crate::house::{Answer, Client, House, refused, text};

const PATH: &str = "/api/v1/uploads";

fn speaking(client: &Client) -> Client {
    client.with("tus-resumable", "1.0.0")
}

async fn begin(client: &Client, name: &str, length: usize) -> Answer {
    let name = format!("filetype YXVkaW8=,filename {}", STANDARD.encode(name));
    client
        .with("upload-length", &length.to_string())
        .with("upload-metadata", &name)
        .send("POST", PATH, "")
        .await
}

async fn piece(client: &Client, place: &str, offset: usize, bytes: &[u8]) -> Answer {
    client
        .with("content-type", "application/offset+octet-stream")
        .with("upload-offset", &offset.to_string())
        .send("PATCH", place, bytes.to_vec())
        .await
}

async fn offset(client: &Client, place: &str) -> usize {
    let shown = client.send("HEAD", place, "").await;
    assert_eq!((shown.status, shown.header("cache-control").as_str()), (200, "no-store"), "{shown:?}");
    shown.header("upload-offset").parse().unwrap()
}

/// Sends `sent` bytes of a piece that has more.
async fn begin_piece(client: &Client, place: &str, from: usize, bytes: &[u8], sent: usize) -> TcpStream {
    let mut head = format!(
        "PATCH {place} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\
         content-type: application/offset+octet-stream\r\nupload-offset: {from}\r\n",
        client.address,
        bytes.len()
    );
    for (name, value) in &client.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    stream.write_all(&bytes[..sent]).await.unwrap();
    stream
}

/// Sends a piece of which only `sent` bytes come before the connection breaks.
async fn cut(client: &Client, place: &str, from: usize, bytes: &[u8], sent: usize) {
    let mut stream = begin_piece(client, place, from, bytes, sent).await;
    // Closing one direction says that no more comes; the answer says that the server has noticed.
    stream.shutdown().await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_song_arrives_whole_over_a_line_that_breaks_anywhere() {
    let house = House::open().await;
    let ann = speaking(&house.user("ann", Role::User).await);
    let song = house.song("song.wav", 30_000);
    let begun = begin(&ann, "Mein Lied.wav", song.len()).await;
    assert_eq!((begun.status, begun.header("tus-resumable").as_str()), (201, "1.0.0"), "{begun:?}");
    assert!(begun.header("upload-expires").ends_with(" GMT"));
    let place = begun.header("location");
    let (mut at, mut breaks) = (0, 0);
    // Lengths that fall on no border, the same ones in every run.
    let mut step = 1_u64;
    while at < song.len() && breaks < 12 {
        step = step.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let sent = (step >> 33) as usize % (song.len() - at).min(20_000);
        cut(&ann, &place, at, &song[at..], sent).await;
        let now = offset(&ann, &place).await;
        assert!(now >= at && now <= song.len(), "{now} after {at}");
        (at, breaks) = (now, breaks + 1);
    }
    assert!(at > 0, "something of what came before a break is kept");
    let wrong = piece(&ann, &place, at + 1, &song[at..]).await;
    refused(&wrong, 409, "wrong_offset");
    let done = piece(&ann, &place, at, &song[at..]).await;
    assert_eq!((done.status, done.header("upload-offset")), (204, song.len().to_string()), "{done:?}");
    let track = ann.get(&done.header("content-location")).await.data();
    assert_eq!(
        (track["title"].as_str(), track["file"]["size_bytes"].as_u64()),
        (Some("Mein Lied"), Some(song.len() as u64))
    );
    let file = ann.get(&text(&track["file"]["url"])).await;
    assert!(file.body == song, "every byte is there, once");
    // A client that did not hear the answer asks again.
    let shown = ann.send("HEAD", &place, "").await;
    assert_eq!(
        (shown.header("upload-offset"), shown.header("content-location")),
        (song.len().to_string(), done.header("content-location"))
    );
    assert_eq!(piece(&ann, &place, song.len(), b"").await.status, 204);
    assert!(!house.files().iter().any(|file| file.starts_with("resumable")), "nothing is left over");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_upload_is_refused() {
    let options = |options: &mut ServeOptions| options.most_upload_bytes = 100_000;
    let house = House::with(options).await;
    let plain = house.user("ann", Role::User).await;
    let ann = speaking(&plain);
    let asked = house.anybody().send("OPTIONS", PATH, "").await;
    assert_eq!((asked.status, asked.header("tus-max-size").as_str()), (204, "100000"));
    assert!(asked.header("tus-extension").contains("creation"));
    let unspoken = begin(&plain, "a.wav", 10).await;
    refused(&unspoken, 412, "wrong_protocol");
    assert_eq!(unspoken.header("tus-version"), "1.0.0");
    refused(&begin(&ann, "a.wav", 100_001).await, 413, "too_large");
    refused(&begin(&ann, "a.wav", 0).await, 422, "invalid");
    refused(&ann.send("POST", PATH, "").await, 422, "invalid");
    let unreadable = ann.with("upload-length", "10").with("upload-metadata", "filename ???");
    refused(&unreadable.send("POST", PATH, "").await, 422, "invalid");

    let place = begin(&ann, "../../evil\u{202e}.wav", 10).await.header("location");
    refused(&piece(&ann, &place, 0, &[0; 11]).await, 413, "too_large");
    refused(&ann.with("upload-offset", "0").send("PATCH", &place, "x").await, 415, "unsupported_media_type");
    let nowhere = ann.with("content-type", "application/offset+octet-stream");
    for wrong in ["-1", "+1", "1e1", "99999999999999999999"] {
        refused(&nowhere.with("upload-offset", wrong).send("PATCH", &place, "x").await, 422, "invalid");
    }
    let files = house.files();
    assert!(files.iter().any(|file| file.starts_with("resumable")), "{files:?}");
    let no_song = piece(&ann, &place, 0, b"0123456789").await;
    refused(&no_song, 422, "not_audio");
    assert_eq!(ann.send("HEAD", &place, "").await.status, 404, "what is no song is gone");
    assert!(!house.files().iter().any(|file| file.starts_with("resumable/") && file.extension().is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_its_owners() {
    let house = House::open().await;
    let (ann, ben) = (house.user("ann", Role::User).await, house.user("ben", Role::SuperAdmin).await);
    let (ann, ben) = (speaking(&ann), speaking(&ben));
    let place = begin(&ann, "a.wav", 10).await.header("location");
    assert_eq!(ben.send("HEAD", &place, "").await.status, 404);
    refused(&piece(&ben, &place, 0, b"x").await, 404, "not_found");
    refused(&ben.delete(&place).await, 404, "not_found");
    assert_eq!(ann.delete(&place).await.status, 204);
    assert_eq!(ann.send("HEAD", &place, "").await.status, 404);
    assert!(!house.files().iter().any(|file| file.starts_with("resumable")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_counts_towards_the_quota() {
    let house = House::open().await;
    let user = house.user("ann", Role::User).await;
    house.library.rows().set_quota(user.user, Some(1000)).await.unwrap();
    let ann = speaking(&user);
    let place = begin(&ann, "a.wav", 600).await.header("location");
    refused(&begin(&ann, "b.wav", 600).await, 507, "no_space");
    assert_eq!(ann.delete(&place).await.status, 204);
    assert_eq!(begin(&ann, "b.wav", 600).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_outlives_the_server() {
    let house = House::open().await;
    let ann = speaking(&house.user("ann", Role::User).await);
    let song = house.song("song.wav", 9000);
    let place = begin(&ann, "song.wav", song.len()).await.header("location");
    assert_eq!(piece(&ann, &place, 0, &song[..5000]).await.status, 204);
    let House { desk, library, server } = house;
    server.shutdown().await;
    drop(library);
    // Whatever lies in the folder that is no upload any more goes.
    let left_over = desk.path("data").join("resumable/left-over");
    std::fs::create_dir(&left_over).unwrap();
    let studio = Studio::with_models(ModelStore::at("/nowhere"));
    let library = studio.open(LibraryConfig::in_folder(desk.path("data"))).await.unwrap();
    let mut options = ServeOptions::default();
    options.listen = ([127, 0, 0, 1], 0).into();
    let server = Server::start(library, options).await.unwrap();
    let ann = Client { address: server.address(), ..ann };
    assert!(!left_over.exists());
    assert_eq!(offset(&ann, &place).await, 5000);
    assert_eq!(piece(&ann, &place, 5000, &song[5000..]).await.status, 204);
    assert_eq!(ann.get("/api/v1/tracks").await.rows(), 1);
}

/// A server in a process of its own, and the words that it prints last in its first lines.
#[cfg(unix)]
fn serve(desk: &Desk, lines: usize) -> (std::process::Child, Vec<String>) {
    use std::io::{BufRead as _, BufReader};
    let options =
        ["--listen", "127.0.0.1:0", "--log-level", "error", "--no-worker", "--rates", "60000,60000,60000"];
    let mut server = crate::desk::command()
        .arg("serve")
        .args(options)
        .env("SFA_DATA_DIR", desk.path("data"))
        .env_remove("SFA_DATABASE_URL")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let printed = BufReader::new(server.stdout.take().unwrap()).lines().take(lines);
    let last_word = |line: std::io::Result<String>| line.unwrap().rsplit(' ').next().unwrap().to_owned();
    (server, printed.map(last_word).collect())
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_the_server_was_killed_is_there() {
    let desk = Desk::new();
    let song = std::fs::read(desk.song_of("song.wav", 100_000)).unwrap();
    let half = song.len() / 2;
    let (mut server, words) = serve(&desk, 2);
    let address = |word: &str| word.trim_start_matches("http://").parse().unwrap();
    let anybody = Client { address: address(&words[0]), user: UserId::LOCAL, headers: Vec::new() };
    let set_up =
        json!({"token": words[1], "name": "Ann", "email": "ann@example.org", "password": "a long password"});
    let ann = speaking(&anybody.taking_cookie(&anybody.post("/api/v1/setup", set_up).await));
    let place = begin(&ann, "song.wav", song.len()).await.header("location");
    let sending = begin_piece(&ann, &place, 0, &song, half).await;
    let arrived = async { while offset(&ann, &place).await < half {} };
    tokio::time::timeout(std::time::Duration::from_secs(60), arrived).await.expect("the half arrives");
    server.kill().unwrap();
    server.wait().unwrap();
    drop(sending);

    let (mut server, words) = serve(&desk, 1);
    let ann = Client { address: address(&words[0]), ..ann };
    assert_eq!(offset(&ann, &place).await, half, "a dead process holds no lock and loses nothing");
    let done = piece(&ann, &place, half, &song[half..]).await;
    let track = ann.get(&done.header("content-location")).await.data();
    let file = ann.get(&text(&track["file"]["url"])).await;
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(file.body == song, "every byte is there, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_came_before_a_crash_become_a_song() {
    let house = House::open().await;
    let ann = speaking(&house.user("ann", Role::User).await);
    let song = house.song("song.wav", 9000);
    let place = begin(&ann, "song.wav", song.len()).await.header("location");
    // As if the process had died between the last byte and the song.
    let id = place.rsplit('/').next().unwrap();
    std::fs::write(house.desk.path("data").join(format!("resumable/{id}/song.wav")), &song).unwrap();
    let shown = ann.send("HEAD", &place, "").await;
    assert_eq!(ann.get(&shown.header("content-location")).await.data()["title"], "song");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_at_a_time_adds_to_an_upload() {
    let house = House::open().await;
    let ann = speaking(&house.user("ann", Role::User).await);
    let place = begin(&ann, "a.wav", 100).await.header("location");
    let id = place.rsplit('/').next().unwrap().parse().unwrap();
    let scope = sfa_core::library::Scope::of(ann.user);
    let held = house.library.resume_upload(scope, id).await.unwrap();
    let locked = piece(&ann, &place, 0, b"x").await;
    refused(&locked, 423, "locked");
    assert_eq!(locked.header("retry-after"), "1");
    drop(held);
    assert_eq!(piece(&ann, &place, 0, b"x").await.status, 204);
}
