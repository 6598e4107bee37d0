//! What whoever runs the server does with it: configures, encrypts, measures, looks after it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sfa_core::library::Role;
use sfa_server::http::Tls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::desk::{Desk, command, stderr, stdout, text};
use crate::house::{House, refused};

/// The program, with nothing of the user's configuration.
fn sfa(data: &Path, arguments: &[&str]) -> Command {
    let mut sfa = command();
    for variable in ["SFA_DATABASE_URL", "SFA_STORAGE_URL", "SFA_CONFIG", "SFA_LISTEN"] {
        sfa.env_remove(variable);
    }
    sfa.env("SFA_DATA_DIR", data).args(arguments);
    sfa
}

fn run(sfa: &mut Command) -> Output {
    sfa.output().expect("the binary runs")
}

/// A server in a process of its own, until this is dropped.
struct Running {
    process: Child,
    address: String,
}

impl Running {
    fn start(sfa: &mut Command) -> Self {
        let mut process = sfa.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { process, address }
    }

    /// Ends it as a service manager does, and gives what it has said to its log.
    fn stop(mut self) -> String {
        let stopped = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(stopped.success() && self.process.wait().unwrap().success(), "it ends well");
        let mut said = String::new();
        std::io::Read::read_to_string(self.process.stderr.as_mut().unwrap(), &mut said).unwrap();
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn flags_win_over_variables_and_these_over_the_file() {
    let desk = Desk::new();
    let data = desk.path("data");
    std::fs::create_dir_all(&data).unwrap();
    let file = "listen = \"127.0.0.1:1\"\nno_worker = true\nlog_level = \"error\"\nmax_upload_mb = 7\n";
    std::fs::write(data.join("sfa.toml"), file).unwrap();
    // The first address would be refused, the second cannot be had.
    let by_variable =
        Running::start(sfa(&data, &["serve"]).env("SFA_LISTEN", "127.0.0.1:0").env("SFA_PUBLIC_URL", ""));
    assert!(by_variable.address.starts_with("http://127.0.0.1:"), "{}", by_variable.address);
    drop(by_variable);
    let by_flag =
        Running::start(sfa(&data, &["serve", "--listen", "127.0.0.1:0"]).env("SFA_LISTEN", "127.0.0.1:1"));
    drop(by_flag);
    // Another command takes of the same file what it knows.
    assert!(run(&mut sfa(&data, &["library", "list"])).status.success());
}

#[test]
fn what_is_wrong_stops_the_start_and_is_named() {
    let desk = Desk::new();
    let data = desk.path("data");
    let wrong = |sfa: &mut Command, said: &[&str]| {
        let output = run(sfa);
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{error}");
        for part in said {
            assert!(error.contains(part), "{part} in {error}");
        }
    };
    wrong(sfa(&data, &["serve"]).env("SFA_LISTEN", "nowhere"), &["SFA_LISTEN in the environment", "socket"]);
    wrong(sfa(&data, &["serve"]).env("SFA_NO_WORKER", "maybe"), &["SFA_NO_WORKER in the environment"]);
    wrong(&mut sfa(&data, &["serve", "--rates", "1"]), &["--rates", "three numbers"]);
    wrong(&mut sfa(&data, &["serve", "--config", "/nowhere/x.toml"]), &["/nowhere/x.toml"]);
    wrong(&mut sfa(&data, &["serve", "--tls-cert", "x.pem"]), &["--tls-key"]);
    wrong(&mut sfa(&data, &["serve", "--tls-cert", "x.pem", "--tls-key", "y.pem"]), &["x.pem", "PEM"]);
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("sfa.toml"), "listne = 1\n").unwrap();
    wrong(&mut sfa(&data, &["serve"]), &["sfa.toml", "listne", "listen"]);
    std::fs::write(data.join("sfa.toml"), "data = \"/elsewhere\"\n").unwrap();
    wrong(&mut sfa(&data, &["serve"]), &["sfa.toml", "elsewhere"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_has_room_for_as_many_connections_as_it_may() {
    let desk = Desk::new();
    let program = sfa(&desk.path("data"), &["serve", "--listen", "127.0.0.1:0"]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -Sn 512 && exec \"$0\" \"$@\""])
        .arg(program.get_program())
        .args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let running = Running::start(&mut shell);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.process.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line.trim_start_matches("Max open files").split_whitespace().collect();
    assert_eq!(numbers[0], numbers[1], "{line}");
    assert_ne!(numbers[0], "512");
}

#[test]
fn help_does_not_show_what_the_environment_hides() {
    let desk = Desk::new();
    let mut sfa = sfa(&desk.path("data"), &["serve", "--help"]);
    let output =
        run(sfa.env("SFA_DATABASE_URL", "postgres://sfa:canary@db/sfa").env("SFA_SECRETS", "canary"));
    assert!(output.status.success() && stdout(&output).contains("SFA_DATABASE_URL"));
    assert!(!stdout(&output).contains("canary"));
}

/// A house whose door is encrypted by a certificate of its own, and the authority that has signed it.
async fn encrypted() -> (House, reqwest::Certificate) {
    let desk = Desk::new();
    let folder = desk.path("tls");
    let tls = Tls::SelfSigned { folder: folder.clone() };
    let house = House::with(|options| options.tls = Some(tls)).await;
    let authority = std::fs::read(folder.join("authority.pem")).unwrap();
    (house, reqwest::Certificate::from_pem(&authority).unwrap())
}

fn browser(authority: Option<reqwest::Certificate>) -> reqwest::Client {
    // Whoever was first has chosen the same.
    tokio_rustls::rustls::crypto::ring::default_provider().install_default().ok();
    let roots = authority.into_iter();
    reqwest::Client::builder().tls_certs_only(roots).no_proxy().build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_trusts_the_authority_is_served_encrypted_by_every_name() {
    let (house, authority) = encrypted().await;
    let browser = browser(Some(authority));
    let port = house.server.address().port();
    assert!(house.server.url().starts_with("https://"));
    for host in ["127.0.0.1", "localhost"] {
        let answer = browser.get(format!("https://{host}:{port}/health")).send().await;
        // `localhost` may be an address where nobody listens.
        let Ok(answer) = answer else { continue };
        assert_eq!(answer.status(), 200, "{host}");
        assert!(answer.headers().get("strict-transport-security").is_none(), "nobody is locked out");
    }
    assert!(browser.get(format!("https://127.0.0.1:{port}/ready")).send().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_an_encrypted_server_are_for_encrypted_connections() {
    let (house, authority) = encrypted().await;
    let browser = browser(Some(authority));
    let url = |path: &str| house.server.url() + path;
    let set_up = serde_json::json!({
        "token": house.server.set_up_token().unwrap(),
        "name": "Ann", "email": "ann@example.org", "password": "a long password",
    });
    let answer = browser.post(url("/api/v1/setup")).json_text(&set_up).send().await.unwrap();
    assert_eq!(answer.status(), 201, "{answer:?}");
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-sfa=") && cookie.contains("; Secure"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let me = browser.get(url("/api/v1/me")).header("cookie", pair).send().await.unwrap();
    assert_eq!(me.status(), 200);
    // Another site may change as little as without.
    let foreign = browser.post(url("/api/v1/playlists")).header("cookie", pair);
    let foreign = foreign.header("sec-fetch-site", "cross-site").json_text(&serde_json::json!({"name": "x"}));
    assert_eq!(foreign.send().await.unwrap().status(), 403);
}

/// JSON as a body, which this client is built without.
trait JsonText {
    fn json_text(self, value: &serde_json::Value) -> Self;
}

impl JsonText for reqwest::RequestBuilder {
    fn json_text(self, value: &serde_json::Value) -> Self {
        self.header("content-type", "application/json").body(value.to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_speak_encrypted_is_told_and_does_no_harm() {
    let (house, authority) = encrypted().await;
    let address = house.server.address();
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut said = String::new();
    plain.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 400") && said.ends_with("https://"), "{said}");
    // Half a handshake, nonsense, and nothing at all.
    for bytes in [&b"\x16\x03\x01\x02\x00\x01"[..], &[0x16; 600], b""] {
        let mut odd = TcpStream::connect(address).await.unwrap();
        odd.write_all(bytes).await.unwrap();
        odd.shutdown().await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), odd.read_to_end(&mut Vec::new())).await.unwrap().ok();
    }
    let stranger = browser(None).get(house.server.url() + "/health").send().await;
    assert!(stranger.is_err(), "who does not know the authority does not believe the certificate");
    let known = browser(Some(authority)).get(house.server.url() + "/health").send().await.unwrap();
    assert_eq!(known.status(), 200, "others are served as before");
    // Somebody who says nothing does not hold the end up.
    let _silent = TcpStream::connect(address).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), house.server.shutdown()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_measured_and_told_at_an_address_of_its_own() {
    let house = House::with(|options| options.metrics_listen = Some(([127, 0, 0, 1], 0).into())).await;
    let ann = house.user("ann", Role::Admin).await;
    let id = house.track(&ann, "a.wav", 9001).await;
    house.wants_everything(&ann).await;
    ann.post(&format!("/api/v1/tracks/{id}/process"), serde_json::json!({"from": "export"})).await;
    for path in ["/api/v1/tracks/x", "/api/v1/tracks/y"] {
        refused(&ann.get(path).await, 404, "not_found");
    }
    let measured = house.anybody_at(house.server.metrics_address().unwrap());
    let answer = measured.get("/metrics").await;
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"), "{answer:?}");
    let told = String::from_utf8(answer.body.to_vec()).unwrap();
    for line in [
        "sfa_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/tracks/{id}\",status=\"404\"} 2",
        "sfa_http_request_duration_seconds_count{method=\"POST\",route=\"/api/v1/tracks\",status=\"201\"} 1",
        "sfa_jobs{queue=\"export\",kind=\"export\",state=\"available\"} 1",
        "sfa_queue_oldest_job_seconds{queue=\"export\"}",
        "sfa_uploaded_bytes_total ",
        "sfa_database_up 1",
        "sfa_database_connections{state=\"busy\"}",
        "sfa_live_connections 0",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
    ] {
        assert!(told.contains(line), "{line} in {told}");
    }
    assert!(told.ends_with("# EOF\n") && told.matches("# EOF").count() == 1);
    assert!(!told.contains(&id) && !told.contains("ann"), "no label says whose or which");
    // Neither is there anything else at that address, nor this at the other.
    assert_eq!(measured.get("/api/v1/server").await.status, 404);
    assert!(!ann.get("/metrics").await.body.starts_with(b"# "));
}

#[test]
fn lines_of_the_log_name_their_request_and_no_secret() {
    let desk = Desk::new();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json"];
    let running = Running::start(&mut sfa(&desk.path("data"), &arguments));
    let asked = |path: &str, header: &str| {
        let url = running.address.clone() + path;
        Command::new("curl").args(["-s", "-o", "/dev/null", "-D", "-", "-H", header, &url]).output()
    };
    let Ok(answer) = asked("/files/x?sig=canary", "cookie: sfa=canary") else {
        eprintln!("skipped: curl is not here");
        return;
    };
    asked("/api/v1/me", "authorization: Bearer canary").unwrap();
    let head = stdout(&answer);
    let id = head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap().to_owned();
    let log = running.stop();
    let lines: Vec<serde_json::Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let line = lines.iter().find(|line| line["request_id"] == id).unwrap_or_else(|| panic!("{id} in {log}"));
    assert_eq!((&line["path"], &line["method"]), (&"/files/x".into(), &"GET".into()));
    assert!(!log.contains("canary"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_packed_for_who_can_unpack_them_and_songs_are_not() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await.with("accept-encoding", "gzip");
    let document = ann.get("/api/v1/openapi.json").await;
    assert_eq!(document.header("content-encoding"), "gzip");
    assert!(document.header("vary").contains("accept-encoding"));
    assert!(document.body.starts_with(&[0x1f, 0x8b]) && document.body.len() < 60_000);
    let id = house.track(&ann, "a.wav", 9001).await;
    let shown = ann.get(&format!("/api/v1/tracks/{id}")).await;
    assert_eq!(shown.header("content-encoding"), "", "a short answer is sent as it is");
    let song = ann.get(shown.data()["file"]["url"].as_str().unwrap()).await;
    assert_eq!(
        (song.header("content-encoding"), song.header("accept-ranges")),
        (String::new(), "bytes".into())
    );
}

#[test]
fn a_library_is_backed_up_and_comes_back() {
    let desk = Desk::new();
    let (song, data, backup) = (desk.song("song.wav"), desk.path("data"), desk.path("backup"));
    assert_eq!(run(&mut sfa(&data, &["backup", text(&backup)])).status.code(), Some(1), "there is none yet");
    assert!(!data.join("library.sqlite").exists(), "and none is made");
    assert!(run(&mut sfa(&data, &["library", "add", text(&song), "--wait"])).status.success());
    let made = run(&mut sfa(&data, &["backup", text(&backup)]));
    assert!(made.status.success(), "{}", stderr(&made));
    let digest = stdout(&made).trim().rsplit(' ').next().unwrap().to_owned();
    let elsewhere = desk.path("elsewhere");
    let wrong = run(&mut sfa(&elsewhere, &["restore", text(&backup), "--digest", "00"]));
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
    let restored = run(&mut sfa(&elsewhere, &["restore", text(&backup), "--digest", &digest]));
    assert!(restored.status.success(), "{}", stderr(&restored));
    let list = |data: &Path| stdout(&run(&mut sfa(data, &["library", "list", "--json"])));
    assert!(!list(&data).is_empty() && list(&data) == list(&elsewhere));
    let again = run(&mut sfa(&elsewhere, &["restore", text(&backup)]));
    assert_eq!(again.status.code(), Some(1), "not over a library: {}", stderr(&again));
}

#[test]
fn a_restore_that_was_killed_is_simply_done_again() {
    let desk = Desk::new();
    let (data, backup, elsewhere) = (desk.path("data"), desk.path("backup"), desk.path("elsewhere"));
    for frames in [9001, 9002, 9003] {
        let song = desk.song_of(&format!("{frames}.wav"), frames);
        assert!(run(&mut sfa(&data, &["library", "add", text(&song)])).status.success());
    }
    assert!(run(&mut sfa(&data, &["backup", text(&backup)])).status.success());
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(backup.join("manifest.json")).unwrap()).unwrap();
    let last = manifest["contents"].as_array().unwrap().last().unwrap()["hash"].as_str().unwrap().to_owned();
    // Reading the last content waits for somebody who writes it.
    let content = backup.join("contents").join(&last[..2]).join(&last);
    let whole = std::fs::read(&content).unwrap();
    std::fs::remove_file(&content).unwrap();
    assert!(Command::new("mkfifo").arg(&content).status().unwrap().success());
    let mut restoring = sfa(&elsewhere, &["restore", text(&backup)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Opened when it is opened there.
    let _waiting = std::fs::OpenOptions::new().write(true).open(&content).unwrap();
    restoring.kill().unwrap();
    restoring.wait().unwrap();
    std::fs::remove_file(&content).unwrap();
    std::fs::write(&content, whole).unwrap();

    let used = run(&mut sfa(&elsewhere, &["library", "list"]));
    assert!(!used.status.success() && stderr(&used).contains("sfa restore"), "{}", stderr(&used));
    let again = run(&mut sfa(&elsewhere, &["restore", text(&backup)]));
    assert!(again.status.success(), "{}", stderr(&again));
    let list = |data: &Path| stdout(&run(&mut sfa(data, &["library", "list", "--json"])));
    assert!(!list(&data).is_empty() && list(&data) == list(&elsewhere));
}

#[test]
fn the_doctor_says_what_is_well_and_what_is_not() {
    let desk = Desk::new();
    let data = desk.path("data");
    let findings = |sfa: &mut Command| -> (Option<i32>, Vec<serde_json::Value>) {
        let output = run(sfa);
        let lines = stdout(&output);
        (output.status.code(), lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    };
    let verdict = |found: &[serde_json::Value], name: &str| -> String {
        let finding = found.iter().find(|finding| finding["name"] == name);
        finding.unwrap_or_else(|| panic!("{name} in {found:?}"))["verdict"].as_str().unwrap().to_owned()
    };
    let (code, found) = findings(&mut sfa(&data, &["doctor", "--json", "--listen", "127.0.0.1:0"]));
    assert_eq!(code, Some(0), "{found:?}");
    assert_eq!(verdict(&found, "models"), "warn", "what can be better is no failure");
    assert!(!data.exists(), "it makes nothing");
    assert!(run(&mut sfa(&data, &["library", "list"])).status.success());
    let (code, found) = findings(&mut sfa(&data, &["doctor", "--json", "--listen", "127.0.0.1:0"]));
    assert_eq!(code, Some(0), "{found:?}");
    for name in ["database", "storage", "clock", "port", "program"] {
        assert_eq!(verdict(&found, name), "ok", "{found:?}");
    }
    // Whether the disk has room enough is the machine's business.
    assert_ne!(verdict(&found, "folder"), "fail", "{found:?}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let (_, found) = findings(&mut sfa(&data, &["doctor", "--json", "--listen", &listen]));
    assert_eq!(verdict(&found, "port"), "warn");
    // With the log of its last changes it could be made whole again.
    for log in ["library.sqlite-wal", "library.sqlite-shm"] {
        std::fs::remove_file(data.join(log)).ok();
    }
    std::fs::write(data.join("library.sqlite"), "this is no database").unwrap();
    let (code, found) = findings(&mut sfa(&data, &["doctor", "--json"]));
    assert_eq!((code, verdict(&found, "library")), (Some(1), "fail".to_owned()));
    assert!(found.iter().all(|finding| finding["verdict"] == "ok" || finding["mend"].is_string()));
    let told = run(&mut sfa(&data, &["doctor"]));
    assert!(stdout(&told).contains("FAIL") && told.status.code() == Some(1));
}
