//! Files from a server that may misbehave.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use super::fetch::{Request, fetch};
use super::guard::Guard;
use crate::part::Part;
use crate::{Error, ErrorKind, Watch};
use server::{Reply, Server, file, not_found};

#[path = "../../../tests/models/server.rs"]
mod server;

const SONG: &[u8] = b"ID3 this is as good as any song for those who do not listen";
const MOST: u64 = 1 << 20;

/// Fetches into `folder`, from this machine's own address and from no other.
async fn fetched(folder: &Path, url: &str, watch: &Watch) -> Result<(String, Vec<u8>), Error> {
    let guard = Guard::permitting(|address| address == IpAddr::V4(Ipv4Addr::LOCALHOST));
    let request = Request { guard: &guard, url: guard.read(url)?, most_bytes: MOST, watch };
    let mut part = Part::open(folder, "song")?;
    let name = fetch(&request, &mut part).await?;
    Ok((name, std::fs::read(part.path()).unwrap()))
}

async fn fresh(url: &str) -> Result<(String, Vec<u8>), Error> {
    let folder = tempfile::tempdir().unwrap();
    fetched(folder.path(), url, &Watch::new()).await
}

#[tokio::test]
async fn a_file_comes_with_the_name_that_it_has() {
    let web = Server::start(|request| match request.target.as_str() {
        "/named" => {
            file(request, SONG, "\"1\"").header("Content-Disposition", "attachment; filename=\"My Song.mp3\"")
        }
        _ => Reply::new("200 OK", SONG).chunked(),
    });
    assert_eq!(
        fresh(&format!("{}/named", web.url())).await.unwrap(),
        ("My Song.mp3".to_owned(), SONG.to_vec())
    );
    assert_eq!(fresh(&format!("{}/a/Two%20Words.mp3?x=y", web.url())).await.unwrap().0, "Two Words.mp3");
    assert_eq!(fresh(web.url()).await.unwrap().0, "download");
}

#[tokio::test]
async fn a_broken_line_is_gone_on_with_where_the_server_knows_the_version() {
    let web = Server::start(|request| {
        let whole = file(request, SONG, "\"1\"");
        if request.range.is_some() { whole } else { whole.cut_after(20) }
    });
    assert_eq!(fresh(web.url()).await.unwrap().1, SONG);
    let ranges: Vec<_> =
        web.requests().into_iter().map(|request| (request.range, request.if_range)).collect();
    assert_eq!(ranges, [(None, None), (Some("bytes=20-".to_owned()), Some("\"1\"".to_owned()))]);
}

#[tokio::test]
async fn what_a_crash_left_is_gone_on_with_or_begun_anew() {
    for (left, etag) in [(20, "\"1\""), (20, "\"2\""), (SONG.len(), "\"1\"")] {
        let web = Server::start(move |request| file(request, SONG, etag));
        let folder = tempfile::tempdir().unwrap();
        let url = format!("{}/", web.url());
        let mut part = Part::open(folder.path(), "song").unwrap();
        part.restart(&url, Some("\"1\"".to_owned())).unwrap();
        part.append(&SONG[..left]).unwrap();
        drop(part);
        assert_eq!(fetched(folder.path(), &url, &Watch::new()).await.unwrap().1, SONG, "{left} {etag}");
        assert_eq!(web.requests()[0].range, Some(format!("bytes={left}-")));
    }
}

#[tokio::test]
async fn a_server_that_marks_no_version_begins_anew() {
    let web = Server::start(|_| Reply::new("200 OK", SONG).cut_after(20));
    let error = fresh(web.url()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "another time it may come whole: {error}");
    assert!(web.requests().iter().all(|request| request.range.is_none()));
}

#[tokio::test]
async fn redirections_are_judged_each_and_counted() {
    for target in [
        "http://10.0.0.1/a.mp3",
        "//169.254.169.254/latest/meta-data/",
        "http://[::1]/a.mp3",
        "http://[::ffff:127.0.0.1]/a.mp3",
        "http://0x7f.2/a.mp3",
        "ftp://127.0.0.1/a.mp3",
        "http://user:secret@127.0.0.1/a.mp3",
        "http:///",
    ] {
        let web = Server::start(move |_| Reply::new("302 Found", "").header("Location", target));
        let error = fresh(web.url()).await.unwrap_err();
        assert_eq!((error.kind(), web.requests().len()), (ErrorKind::InvalidOption, 1), "{target}: {error}");
    }
    let hops = Server::start(|request| match request.target.trim_start_matches('/').parse::<usize>() {
        Ok(0) => Reply::new("200 OK", SONG),
        Ok(left) => Reply::new("307 Temporary Redirect", "").header("Location", format!("{}", left - 1)),
        Err(_) => not_found(),
    });
    assert_eq!(fresh(&format!("{}/5", hops.url())).await.unwrap().1, SONG);
    assert!(fresh(&format!("{}/6", hops.url())).await.unwrap_err().message().contains("5 times"));
}

#[tokio::test]
async fn failures_say_what_is_wrong_and_whether_trying_again_helps() {
    let web = Server::start(|request| match request.target.as_str() {
        "/401" => Reply::new("401 Unauthorized", ""),
        "/404" => not_found(),
        "/429" => Reply::new("429 Too Many Requests", ""),
        "/503" => Reply::new("503 Service Unavailable", ""),
        "/204" => Reply::new("204 No Content", ""),
        "/nowhere" => Reply::new("302 Found", ""),
        "/large" => Reply::new("200 OK", vec![1; MOST as usize + 1]),
        _ => Reply::new("200 OK", vec![1; MOST as usize + 1]).chunked(),
    });
    for (path, kind, expected) in [
        ("/401", ErrorKind::InvalidOption, "login"),
        ("/404", ErrorKind::InvalidOption, "nothing at this address"),
        ("/429", ErrorKind::Io, "less often"),
        ("/503", ErrorKind::Io, "fault"),
        ("/204", ErrorKind::InvalidOption, "no use"),
        ("/nowhere", ErrorKind::InvalidOption, "no address"),
        ("/large", ErrorKind::InvalidOption, "larger than the 1 MB"),
        ("/endless", ErrorKind::InvalidOption, "larger than the 1 MB"),
    ] {
        let error = fresh(&format!("{}{path}", web.url())).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{path}: {error}");
        assert!(error.message().contains(expected), "{path}: {error}");
    }
    // Nobody listens at this port any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(fresh(&format!("http://{closed}/")).await.unwrap_err().kind(), ErrorKind::Io);
}

#[tokio::test]
async fn a_stop_is_heard_while_nothing_comes() {
    let web = Server::start(|request| file(request, SONG, "\"1\"").hang_after(20));
    let (folder, watch) = (tempfile::tempdir().unwrap(), Watch::new());
    let stopped = watch.forward_to({
        let watch = watch.clone();
        move |news| {
            if news.done == 20 {
                watch.stop();
            }
        }
    });
    let error = fetched(folder.path(), web.url(), &stopped).await.unwrap_err();
    assert!(error.is_cancelled(), "{error}");
}
