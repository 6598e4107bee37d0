//! As little of HTTP and of WebSockets as is needed to keep a server busy and stay idle oneself.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Failure;

const HEADERS_END: &[u8] = b"\r\n\r\n";
const LENGTH: &[u8] = b"content-length: ";

/// A connection that is kept.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes at the beginning of the buffer that were given out.
    used: usize,
}

/// What came back; the body is in the wire until the next call.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

/// A request, whole.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = match body.len() {
        0 => String::new(),
        length => format!("content-type: application/json\r\ncontent-length: {length}\r\n"),
    };
    format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n{headers}\r\n{length}\r\n{body}").into_bytes()
}

impl Wire {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new(), used: 0 })
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the server closed a connection".into());
        }
        Ok(())
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>, Failure> {
        self.buffer.drain(..self.used);
        self.used = 0;
        self.stream.write_all(request).await?;
        let head = loop {
            if let Some(end) = find(&self.buffer, HEADERS_END) {
                break end;
            }
            self.fill().await?;
        };
        let headers = &self.buffer[..head];
        let status = std::str::from_utf8(headers.get(9..12).unwrap_or_default())?.parse()?;
        let length = find(headers, LENGTH).map_or(Ok(0), |place| {
            let digits = &headers[place + LENGTH.len()..];
            let digits = digits.split(|byte| *byte == b'\r').next().unwrap_or_default();
            std::str::from_utf8(digits).unwrap_or_default().parse()
        })?;
        let start = head + HEADERS_END.len();
        self.used = start + if status == 101 { 0 } else { length };
        while self.buffer.len() < self.used {
            self.fill().await?;
        }
        Ok(Answer { status, body: &self.buffer[start..self.used] })
    }

    /// Turns the connection into a socket that follows a topic.
    pub(crate) async fn follow(mut self, headers: &str, topic: &str) -> Result<Self, Failure> {
        let upgrade = format!(
            "{headers}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=="
        );
        let answer = self.ask(&request("GET", "/api/v1/live", &upgrade, "")).await?;
        if answer.status != 101 {
            return Err(format!("no socket: {}", answer.status).into());
        }
        let command = format!("{{\"type\":\"subscribe\",\"topic\":\"{topic}\"}}");
        // Masked, as clients have to, by zeros, and shorter than 126 bytes.
        let mut frame = vec![0x81, 0x80 | u8::try_from(command.len())?, 0, 0, 0, 0];
        frame.extend(command.as_bytes());
        self.stream.write_all(&frame).await?;
        Ok(self)
    }

    /// The next text on a socket. Pings are answered.
    pub(crate) async fn hear(&mut self) -> Result<&[u8], Failure> {
        loop {
            self.buffer.drain(..self.used);
            self.used = 0;
            while self.buffer.len() < 2 {
                self.fill().await?;
            }
            let (kind, short) = (self.buffer[0] & 15, usize::from(self.buffer[1] & 127));
            let more = match short {
                126 => 2,
                127 => 8,
                _ => 0,
            };
            while self.buffer.len() < 2 + more {
                self.fill().await?;
            }
            let long = &self.buffer[2..2 + more];
            let length = if more == 0 {
                short
            } else {
                long.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
            };
            let start = 2 + more;
            self.used = start + length;
            while self.buffer.len() < self.used {
                self.fill().await?;
            }
            match kind {
                1 => return Ok(&self.buffer[start..self.used]),
                8 => return Err("the server closed a socket".into()),
                9 => self.stream.write_all(&[0x8A, 0x80, 0, 0, 0, 0]).await?,
                _ => {}
            }
        }
    }
}
