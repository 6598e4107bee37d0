//! A server of mail in this process, which speaks SMTP and keeps what it is given.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sfa_server::mail::MailOptions;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Letters as they were delivered.
pub(crate) struct Post {
    address: SocketAddr,
    letters: tokio::sync::Mutex<mpsc::UnboundedReceiver<Delivered>>,
    behaviour: Arc<Mutex<Behaviour>>,
}

#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) to: String,
    /// Headers and text, with what was done to them for the journey undone.
    pub(crate) text: String,
}

#[derive(Default)]
struct Behaviour {
    /// What is said to the next recipients instead of "250".
    refusals: Vec<&'static str>,
    commands: Vec<String>,
}

impl Post {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, letters) = mpsc::unbounded_channel();
        let behaviour = Arc::new(Mutex::new(Behaviour::default()));
        let shared = Arc::clone(&behaviour);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, sender.clone(), Arc::clone(&shared)));
            }
        });
        Self { address, letters: tokio::sync::Mutex::new(letters), behaviour }
    }

    /// Sends mail here; `query` as in "?tls=none".
    pub(crate) fn options(&self, query: &str) -> MailOptions {
        MailOptions {
            url: format!("smtp://{}{query}", self.address),
            from: "Studio <studio@example.org>".to_owned(),
        }
    }

    pub(crate) fn refuse_next(&self, answer: &'static str) {
        self.behaviour.lock().unwrap().refusals.push(answer);
    }

    /// What clients have said so far.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.behaviour.lock().unwrap().commands.clone()
    }

    /// Waits for the next letter.
    pub(crate) async fn next(&self) -> Delivered {
        let mut letters = self.letters.lock().await;
        let next = tokio::time::timeout(Duration::from_secs(60), letters.recv());
        next.await.expect("a letter comes").unwrap()
    }

    /// Waits for a letter to `to` and returns what stands behind the `#` of the link to `page` in it.
    pub(crate) async fn token(&self, to: &str, page: &str) -> String {
        let letter = self.next().await;
        assert_eq!(letter.to, to, "{letter:?}");
        let (_, token) = letter
            .text
            .split_once(&format!("http://songs.example.org/link/{page}#"))
            .unwrap_or_else(|| panic!("{letter:?} has no link to {page}"));
        token.split_whitespace().next().unwrap().to_owned()
    }
}

async fn converse(
    stream: TcpStream,
    letters: mpsc::UnboundedSender<Delivered>,
    behaviour: Arc<Mutex<Behaviour>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut to = String::new();
    stream.write_all(b"220 post.example.org ESMTP\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let command = line.trim_end().to_owned();
        behaviour.lock().unwrap().commands.push(command.clone());
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-post.example.org\r\n250 8BITMIME".to_owned(),
            "RCPT" => {
                to = command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                let mut behaviour = behaviour.lock().unwrap();
                if behaviour.refusals.is_empty() { "250 ok" } else { behaviour.refusals.remove(0) }.to_owned()
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                let text = content(&mut stream).await?;
                letters.send(Delivered { to: to.clone(), text }).ok();
                "250 kept".to_owned()
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.ok();
                return None;
            }
            _ => "250 ok".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

/// What comes up to a dot alone in its line.
async fn content(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            let (headers, body) = text.split_once("\r\n\r\n")?;
            let body = body.replace("=\r\n", "").replace("=3D", "=");
            return Some(format!("{headers}\r\n\r\n{body}"));
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
