//! Fetching, against a real server on loopback that does all that servers do.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sfa_core::models::{BagStatus, PullEvent, PullOptions, Trust};
use sfa_core::{Error, ErrorKind, Progress, Stage, Watch};

use crate::desk::{Desk, fixture};
use crate::server::{Reply, Request, Server, file, not_found};

const ETAG: &str = "\"one\"";

/// The published files of all bags.
fn published(request: &Request) -> Reply {
    match request.target.rsplit('/').next().unwrap() {
        "aaaaaaaa.safetensors" => file(request, &fixture("ht.safetensors"), ETAG),
        "aaaaaaaa-00000001.th" | "bbbbbbbb-00000002.th" => file(request, &fixture("ht.th"), ETAG),
        "cccccccc.safetensors" => file(request, &fixture("ht_other.safetensors"), ETAG),
        "eeeeeeee.safetensors" => file(request, &fixture("files.golden.safetensors"), ETAG),
        _ => not_found(),
    }
}

fn options(change: impl FnOnce(&mut PullOptions)) -> PullOptions {
    let mut options = PullOptions::default();
    change(&mut options);
    options
}

/// A desk that has accepted the licence.
fn desk(server: &Server) -> Desk {
    let desk = Desk::new(server.url());
    desk.store.accept_licence().unwrap();
    desk
}

/// What a pull came to, and what was said on the way.
struct Pulled {
    result: Result<BagStatus, Error>,
    said: Vec<String>,
}

impl Pulled {
    fn error(self) -> Error {
        self.result.unwrap_err()
    }

    fn said(&self, word: &str) -> usize {
        self.said.iter().filter(|line| line.starts_with(word)).count()
    }
}

fn pull_with(desk: &Desk, name: &str, options: &PullOptions, watch: &Watch) -> Pulled {
    let mut said = Vec::new();
    let result = desk.store.pull(desk.bag(name), options, watch, &mut |event| {
        said.push(match event {
            PullEvent::AlreadyThere(file) => format!("there {}", file.path.display()),
            PullEvent::Fetching { url, resumed_bytes } => format!("fetching {url} after {resumed_bytes}"),
            PullEvent::StartedOver { url } => format!("over {url}"),
            PullEvent::Interrupted { error } => format!("interrupted {error}"),
            PullEvent::SourceFailed { url, error, next } => format!("failed {url} {error} {next:?}"),
            PullEvent::Fetched(file) => format!("fetched {}", file.path.display()),
            other => panic!("an event that these tests do not know: {other:?}"),
        });
    });
    Pulled { result, said }
}

fn pull(desk: &Desk, name: &str) -> Pulled {
    pull_with(desk, name, &PullOptions::default(), &Watch::new())
}

/// Pulls `small` until at least `bytes` are there, and stops.
fn stop_after(desk: &Desk, bytes: u64) -> u64 {
    let stop = Watch::new();
    let watch = stop.forward_to({
        let stop = stop.clone();
        move |progress: Progress| {
            if progress.stage == Stage::Download && progress.done >= bytes {
                stop.stop();
            }
        }
    });
    assert!(pull_with(desk, "small", &PullOptions::default(), &watch).error().is_cancelled());
    fs::metadata(desk.store.folder().join("aaaaaaaa.safetensors.part")).unwrap().len()
}

#[test]
fn a_model_is_fetched_checked_and_remembered() {
    let server = Server::start(published);
    let desk = desk(&server);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watch = Watch::with_sink({
        let seen = Arc::clone(&seen);
        move |progress| seen.lock().unwrap().push(progress)
    });
    let pulled = pull_with(&desk, "small", &PullOptions::default(), &watch);
    let status = pulled.result.unwrap();
    assert_eq!((status.ready, status.trust()), (true, Some(Trust::Verified)));
    assert_eq!(desk.files(), ["aaaaaaaa.safetensors"]);
    assert_eq!(
        fs::read(desk.store.folder().join("aaaaaaaa.safetensors")).unwrap(),
        fixture("ht.safetensors")
    );
    let from = status.files().next().unwrap().from.clone().unwrap();
    assert_eq!(from, format!("{}/aaaaaaaa.safetensors", server.url()));

    let seen = seen.lock().unwrap();
    assert!(seen.windows(2).all(|pair| pair[0].done <= pair[1].done && pair[0].total <= pair[1].total));
    let last = seen.last().unwrap();
    let all = fixture("ht.safetensors").len() as u64;
    assert_eq!((last.stage, last.done, last.total), (Stage::Download, all, all));
}

#[test]
fn what_is_there_is_not_fetched_again() {
    let server = Server::start(published);
    let desk = desk(&server);
    pull(&desk, "small").result.unwrap();
    desk.copy("ht.th", "checkpoints/bbbbbbbb-00000002.th");
    let again = pull(&desk, "small");
    assert_eq!((again.said("there"), again.said.len()), (1, 1));
    let pair = pull(&desk, "pair");
    assert!(pair.result.as_ref().unwrap().ready);
    assert_eq!(pair.said("there"), 1);
    assert_eq!(server.targets(), ["/aaaaaaaa.safetensors", "/cccccccc.safetensors"]);
}

#[test]
fn nothing_is_fetched_before_the_licence_statement_was_accepted() {
    let server = Server::start(published);
    let desk = Desk::new(server.url());
    let error = pull(&desk, "small").error();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains("licence"), "{error}");
    assert!(server.requests().is_empty() && !desk.store.folder().exists());
    desk.store.accept_licence().unwrap();
    assert!(desk.store.licence_accepted());
    pull(&desk, "small").result.unwrap();
}

#[test]
fn a_stopped_download_goes_on_where_it_was() {
    let patient = Arc::new(AtomicUsize::new(0));
    let server = Server::start({
        let patient = Arc::clone(&patient);
        move |request| {
            let reply = published(request);
            if patient.fetch_add(1, Ordering::SeqCst) == 0 { reply.hang_after(50_000) } else { reply }
        }
    });
    let desk = desk(&server);
    let bytes = stop_after(&desk, 50_000);
    assert_eq!(bytes, 50_000);
    assert_eq!(desk.files(), ["aaaaaaaa.safetensors.part", "aaaaaaaa.safetensors.part.json"]);
    assert!(!desk.status("small").ready);
    let pulled = pull(&desk, "small");
    assert!(pulled.said[0].ends_with("after 50000"), "{:?}", pulled.said);
    assert_eq!(pulled.result.unwrap().trust(), Some(Trust::Verified));
    assert_eq!(desk.files(), ["aaaaaaaa.safetensors"]);
    let second = server.requests().pop().unwrap();
    assert_eq!(second.range.as_deref(), Some("bytes=50000-"));
    assert_eq!(second.if_range.as_deref(), Some(ETAG));
}

/// Stops a download in the middle, lets the server answer the next request in its own way, and expects that the file
/// is whole in the end, from the start again.
fn starts_over(second: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        0 => file(request, &fixture("ht_other.safetensors"), "\"old\"").hang_after(50_000),
        1 => second(request),
        _ => published(request),
    });
    let desk = desk(&server);
    stop_after(&desk, 50_000);
    let pulled = pull(&desk, "small");
    assert_eq!(pulled.said("over"), 1, "{:?}", pulled.said);
    assert_eq!(pulled.result.unwrap().trust(), Some(Trust::Verified));
    assert_eq!(desk.files(), ["aaaaaaaa.safetensors"]);
}

#[test]
fn a_file_that_changed_on_the_server_is_begun_anew() {
    starts_over(published);
}

#[test]
fn a_server_that_knows_no_ranges_is_listened_to_from_the_start() {
    starts_over(|_| Reply::new("200 OK", fixture("ht.safetensors")).header("ETag", "\"old\""));
}

#[test]
fn an_answer_for_another_range_is_begun_anew() {
    starts_over(|_| {
        let bytes = fixture("ht.safetensors");
        let range = format!("bytes 0-{}/{}", bytes.len() - 1, bytes.len());
        Reply::new("206 Partial Content", bytes).header("ETag", "\"old\"").header("Content-Range", range)
    });
}

#[test]
fn a_part_of_another_version_is_begun_anew() {
    starts_over(|_| {
        let bytes = fixture("ht.safetensors");
        let range = format!("bytes 50000-{}/{}", bytes.len() - 1, bytes.len());
        Reply::new("206 Partial Content", &bytes[50_000..])
            .header("ETag", "\"new\"")
            .header("Content-Range", range)
    });
}

#[test]
fn a_refused_range_is_begun_anew() {
    starts_over(|_| Reply::new("416 Range Not Satisfiable", "").header("Content-Range", "bytes */49999"));
}

#[test]
fn a_part_of_unknown_length_that_was_whole_already_is_only_checked() {
    let server = Server::start(published);
    let desk = desk(&server);
    let bytes = fixture("files.golden.safetensors");
    fs::write(desk.store.folder().join("eeeeeeee.safetensors.part"), &bytes).unwrap();
    let origin = format!(r#"{{"url":"{}/eeeeeeee.safetensors","validator":"\"one\""}}"#, server.url());
    fs::write(desk.store.folder().join("eeeeeeee.safetensors.part.json"), origin).unwrap();
    assert_eq!(pull(&desk, "six").result.unwrap().trust(), Some(Trust::Verified));
    assert_eq!(server.requests()[0].range, Some(format!("bytes={}-", bytes.len())));
    assert_eq!(desk.files(), ["eeeeeeee.safetensors"]);
}

#[test]
fn a_part_of_known_length_that_was_whole_already_costs_no_request() {
    let server = Server::start(published);
    let desk = desk(&server);
    desk.copy("ht.safetensors", "models/aaaaaaaa.safetensors.part");
    assert_eq!(pull(&desk, "small").result.unwrap().trust(), Some(Trust::Verified));
    assert!(server.requests().is_empty());
}

#[test]
fn redirections_to_another_server_are_followed_with_the_range() {
    let count = AtomicUsize::new(0);
    let storage = Arc::new(Server::start(move |request| {
        let reply = published(request);
        if count.fetch_add(1, Ordering::SeqCst) == 0 { reply.hang_after(50_000) } else { reply }
    }));
    let front = Server::start({
        let storage = Arc::clone(&storage);
        move |request| {
            let target = format!("{}/storage{}", storage.url(), request.target);
            Reply::new("302 Found", "").header("Location", target)
        }
    });
    let desk = desk(&front);
    stop_after(&desk, 50_000);
    assert_eq!(pull(&desk, "small").result.unwrap().trust(), Some(Trust::Verified));
    assert_eq!(storage.targets(), ["/storage/aaaaaaaa.safetensors"; 2]);
    assert_eq!(storage.requests()[1].range.as_deref(), Some("bytes=50000-"));
}

#[test]
fn a_source_that_wants_a_login_gives_way_to_the_next_and_that_is_said() {
    let server = Server::start(|request| {
        if request.target.ends_with(".safetensors") {
            Reply::new("401 Unauthorized", "who are you?")
        } else {
            published(request)
        }
    });
    let desk = desk(&server);
    let pulled = pull(&desk, "small");
    let failed = pulled.said.iter().find(|line| line.starts_with("failed")).unwrap();
    assert!(failed.contains("login") && failed.contains("aaaaaaaa-00000001.th"), "{failed}");
    assert_eq!(pulled.result.unwrap().trust(), Some(Trust::Verified));
    assert_eq!(desk.files(), ["aaaaaaaa-00000001.th"]);
}

#[test]
fn where_no_source_has_a_file_all_reasons_and_the_remedy_are_told() {
    let server = Server::start(|request| {
        if request.target.ends_with(".th") { not_found() } else { Reply::new("503 Busy", "later") }
    });
    let desk = desk(&server);
    let error = pull(&desk, "small").error();
    assert_eq!(error.kind(), ErrorKind::ModelUnavailable);
    for part in
        ["503", "404", "aaaaaaaa.safetensors", "aaaaaaaa-00000001.th", "`sfa models import small FILE`"]
    {
        assert!(error.message().contains(part), "{error}");
    }
    assert!(desk.files().is_empty());
}

#[test]
fn a_server_that_is_not_there_is_told_without_waiting() {
    let desk = Desk::new("http://127.0.0.1:1");
    desk.store.accept_licence().unwrap();
    let pulled = pull(&desk, "small");
    assert_eq!((pulled.said("interrupted"), pulled.said("failed")), (0, 2));
    assert!(desk.files().is_empty());
}

#[test]
fn a_page_instead_of_the_file_is_not_taken_for_it() {
    let server = Server::start(|request| {
        if request.target.ends_with(".safetensors") {
            Reply::new("200 OK", "<html>please log in to the hotel's network</html>")
        } else {
            published(request)
        }
    });
    let desk = desk(&server);
    let pulled = pull(&desk, "small");
    assert_eq!(pulled.said("failed"), 1);
    assert_eq!(pulled.result.unwrap().trust(), Some(Trust::Verified));
}

#[test]
fn a_broken_connection_is_taken_up_again_by_itself() {
    let server = Server::start(|request| published(request).cut_after(50_000));
    let desk = desk(&server);
    let pulled = pull(&desk, "small");
    assert!(pulled.said("interrupted") >= 2, "{:?}", pulled.said);
    assert_eq!(pulled.result.unwrap().trust(), Some(Trust::Verified));
    assert_eq!(server.requests()[1].range.as_deref(), Some("bytes=50000-"));
}

#[test]
fn an_end_too_early_without_a_length_is_noticed() {
    let server = Server::start(|request| {
        let bytes = fixture("ht.safetensors");
        let reply = if request.target.ends_with(".th") {
            not_found()
        } else {
            Reply::new("200 OK", &bytes[..60_000])
        };
        reply.chunked()
    });
    let desk = desk(&server);
    let pulled = pull(&desk, "small");
    let error = pulled.error();
    assert!(error.message().contains("after 60000 of 132032 bytes: it ended early"), "{error}");
    assert!(desk.files().is_empty(), "{:?}", desk.files());
}

#[test]
fn more_bytes_than_published_are_not_written() {
    let server = Server::start(|request| {
        let mut bytes = fixture("ht.safetensors");
        bytes.extend([0; 100_000]);
        if request.target.ends_with(".th") { not_found() } else { Reply::new("200 OK", bytes).chunked() }
    });
    let desk = desk(&server);
    let error = pull(&desk, "small").error();
    assert!(error.message().contains("longer there than it should be"), "{error}");
    assert!(desk.files().is_empty());
}

#[test]
fn other_bytes_than_the_published_are_removed_and_told() {
    let server = Server::start(|request| {
        let mut bytes = fixture("ht.safetensors");
        bytes[70_000] ^= 1;
        file(request, &bytes, ETAG)
    });
    let desk = desk(&server);
    let error = pull(&desk, "small").error();
    assert_eq!(error.kind(), ErrorKind::ModelUnavailable);
    assert!(error.message().contains("SHA-256"), "{error}");
    assert!(error.subject().unwrap().ends_with("/aaaaaaaa.safetensors"), "{error}");
    assert!(desk.files().is_empty());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_silent_server_gives_way_to_the_next_source() {
    let server = Server::start(|request| {
        let reply = published(request);
        if request.target.ends_with(".safetensors") { reply.hang_after(0) } else { reply }
    });
    let desk = desk(&server);
    let patience = options(|options| options.stall_limit = Duration::from_millis(100));
    let pulled = pull_with(&desk, "small", &patience, &Watch::new());
    assert!(pulled.said[1].contains("nothing came for 0.1 s"), "{:?}", pulled.said);
    assert_eq!(pulled.result.unwrap().trust(), Some(Trust::Verified));
    assert_eq!(desk.files(), ["aaaaaaaa-00000001.th"]);
}

#[test]
fn a_stop_does_not_wait_for_a_silent_server() {
    let watch = Watch::new();
    let server = Server::start({
        let watch = watch.clone();
        move |_| {
            watch.stop();
            Reply::silence()
        }
    });
    let desk = desk(&server);
    // With this patience the test would not end if the stop were not seen.
    let patience = options(|options| options.stall_limit = Duration::from_secs(1_000_000));
    assert!(pull_with(&desk, "small", &patience, &watch).error().is_cancelled());
}

#[test]
fn without_network_it_is_said_what_is_missing() {
    let server = Server::start(published);
    let desk = desk(&server);
    let offline = options(|options| options.offline = true);
    let error = pull_with(&desk, "pair", &offline, &Watch::new()).error();
    assert_eq!(error.kind(), ErrorKind::ModelUnavailable);
    for part in
        ["bbbbbbbb-00000002.th", "cccccccc.safetensors", "SFA_OFFLINE", "`sfa models import pair FILE...`"]
    {
        assert!(error.message().contains(part), "{error}");
    }
    assert!(server.requests().is_empty());
    pull(&desk, "pair").result.unwrap();
    assert!(pull_with(&desk, "pair", &offline, &Watch::new()).result.is_ok());
}

#[test]
fn a_mirror_stands_for_all_publishers() {
    let (publisher, mirror) = (Server::start(published), Server::start(published));
    let desk = desk(&publisher);
    let mirrored = options(|options| options.mirror = Some(format!("{}/weights/", mirror.url())));
    assert!(pull_with(&desk, "pair", &mirrored, &Watch::new()).result.unwrap().ready);
    assert_eq!(mirror.targets(), ["/weights/bbbbbbbb-00000002.th", "/weights/cccccccc.safetensors"]);
    assert!(publisher.requests().is_empty());
    let wrong = options(|options| options.mirror = Some("no address".to_owned()));
    assert_eq!(pull_with(&desk, "small", &wrong, &Watch::new()).error().kind(), ErrorKind::InvalidOption);
}

#[test]
fn a_file_without_a_published_checksum_needs_the_flag_and_must_be_a_model() {
    let garbage = Arc::new(AtomicUsize::new(1));
    let server = Server::start({
        let garbage = Arc::clone(&garbage);
        move |request| match request.target.as_str() {
            "/dddddddd.safetensors" if garbage.load(Ordering::SeqCst) == 1 => {
                Reply::new("200 OK", "<html>not quite what you hoped for</html>")
            }
            "/dddddddd.safetensors" => file(request, &fixture("ht.safetensors"), ETAG),
            _ => not_found(),
        }
    });
    let desk = desk(&server);
    let error = pull(&desk, "loose").error();
    assert!(error.message().contains("--unverified"), "{error}");
    assert!(server.requests().is_empty());
    let unverified = options(|options| options.unverified = true);
    let error = pull_with(&desk, "loose", &unverified, &Watch::new()).error();
    assert_eq!(error.kind(), ErrorKind::ModelUnavailable);
    assert!(desk.files().is_empty());
    garbage.store(0, Ordering::SeqCst);
    let status = pull_with(&desk, "loose", &unverified, &Watch::new()).result.unwrap();
    assert_eq!((status.ready, status.trust()), (true, Some(Trust::Unverified)));
}

#[test]
fn two_programs_do_not_fetch_into_one_store() {
    let server = Server::start(published);
    let desk = desk(&server);
    let lock = fs::File::create(desk.store.folder().join(".pull.lock")).unwrap();
    lock.lock().unwrap();
    for error in [pull(&desk, "small").error(), desk.store.remove(desk.bag("small")).unwrap_err()] {
        assert!(error.message().contains("another program"), "{error}");
    }
    drop(lock);
    pull(&desk, "small").result.unwrap();
}

#[test]
fn removing_a_model_removes_a_begun_download_too() {
    let server = Server::start(|request| published(request).hang_after(50_000));
    let desk = desk(&server);
    stop_after(&desk, 50_000);
    assert_eq!(desk.store.remove(desk.bag("small")).unwrap().files.len(), 2);
    assert!(desk.files().is_empty());
}

#[test]
fn a_caller_inside_an_asynchronous_runtime_may_pull_too() {
    let server = Server::start(published);
    let desk = desk(&server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pulled = runtime.block_on(async { pull(&desk, "small") });
    assert!(pulled.result.unwrap().ready);
}
