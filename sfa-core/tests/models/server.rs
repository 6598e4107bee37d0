//! A server on loopback that speaks HTTP/1.1 and may misbehave.

#![allow(dead_code, reason = "the tests of two crates use it, each its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// What stands in the first line: a path or, through a proxy, a whole address.
    pub(crate) target: String,
    pub(crate) range: Option<String>,
    pub(crate) if_range: Option<String>,
}

/// What it gets.
pub(crate) struct Reply {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// After so many bytes of the body the connection ends.
    sent: usize,
    /// Whether it stays open instead, and silent.
    hangs: bool,
    chunked: bool,
}

impl Reply {
    pub(crate) fn new(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { status, headers: Vec::new(), sent: body.len(), body, hangs: false, chunked: false }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn cut_after(self, bytes: usize) -> Self {
        Self { sent: self.sent.min(bytes), ..self }
    }

    pub(crate) fn hang_after(self, bytes: usize) -> Self {
        Self { hangs: true, ..self.cut_after(bytes) }
    }

    /// Nothing at all, for as long as the client waits.
    pub(crate) fn silence() -> Self {
        Self::new("", "").hang_after(0)
    }

    /// Without saying how long it is.
    pub(crate) fn chunked(self) -> Self {
        Self { chunked: true, ..self }
    }
}

/// A file as a good server has it: with its version, and in parts where they are asked for.
pub(crate) fn file(request: &Request, bytes: &[u8], etag: &str) -> Reply {
    let total = bytes.len();
    let start = request.range.as_deref().map(|range| {
        let start = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        start.expect("a range of this client is open").parse::<usize>().unwrap()
    });
    match start {
        Some(start) if request.if_range.as_deref() == Some(etag) && start < total => {
            Reply::new("206 Partial Content", &bytes[start..])
                .header("Content-Range", format!("bytes {start}-{}/{total}", total - 1))
        }
        Some(_) if request.if_range.as_deref() == Some(etag) => {
            Reply::new("416 Range Not Satisfiable", "").header("Content-Range", format!("bytes */{total}"))
        }
        _ => Reply::new("200 OK", bytes),
    }
    .header("ETag", etag)
    .header("Accept-Ranges", "bytes")
}

pub(crate) fn not_found() -> Reply {
    Reply::new("404 Not Found", "there is no such thing here")
}

pub(crate) struct Server {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers every request with what `handler` says, until the test is over.
    pub(crate) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, handler) = (Arc::clone(&requests), Arc::new(handler));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, handler) = (Arc::clone(&log), Arc::clone(&handler));
                thread::spawn(move || serve(stream, &log, handler.as_ref()));
            }
        });
        Self { url, requests }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// What was asked for, in order.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.target).collect()
    }
}

/// One connection, one answer. A client that goes away is no error here.
fn serve(mut stream: TcpStream, log: &Mutex<Vec<Request>>, handler: &dyn Fn(&Request) -> Reply) {
    let Some(request) = read_request(&stream) else { return };
    log.lock().unwrap().push(request.clone());
    let reply = handler(&request);
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &if reply.chunked {
        "Transfer-Encoding: chunked\r\n\r\n".to_owned()
    } else {
        format!("Content-Length: {}\r\n\r\n", reply.body.len())
    };
    let body = &reply.body[..reply.sent];
    if reply.status.is_empty() {
        head.clear();
    }
    let sent = stream.write_all(head.as_bytes()).and_then(|()| {
        if !reply.chunked {
            return stream.write_all(body);
        }
        for chunk in body.chunks(10_000) {
            write!(stream, "{:x}\r\n", chunk.len())?;
            stream.write_all(chunk)?;
            stream.write_all(b"\r\n")?;
        }
        stream.write_all(if reply.sent < reply.body.len() { b"" } else { b"0\r\n\r\n" })
    });
    if sent.is_ok() && reply.hangs {
        // Ends when the client has had enough.
        stream.read_to_end(&mut Vec::new()).ok();
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut request = Request { target: first.split(' ').nth(1)?.to_owned(), range: None, if_range: None };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name.to_lowercase().as_str() {
            "range" => request.range = Some(value.to_owned()),
            "if-range" => request.if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    Some(request)
}
