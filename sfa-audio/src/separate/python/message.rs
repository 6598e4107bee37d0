//! What the worker says: one JSON object per line, and how little of anything else is kept.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use serde::Deserialize;

/// The version of the protocol that `worker.py` speaks.
pub(super) const PROTOCOL: u32 = 1;

/// One line of the worker.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Message {
    /// The model is loaded.
    Hello(Hello),
    /// How much of the song is done.
    Progress { percent: u8 },
    /// The song is done: the name of each source's file.
    Result { stems: BTreeMap<String, String> },
    /// The worker gives up; the message is empty where standard error has it.
    Error { kind: String, message: String },
}

/// Who works, and on what.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Hello {
    pub(super) protocol: u32,
    pub(super) demucs: String,
    pub(super) torch: String,
    pub(super) device: String,
    pub(super) sources: Vec<String>,
    pub(super) sample_rate_hz: u32,
    pub(super) channels: usize,
}

/// Reads messages on the side until `output` ends; lines that are none are skipped, however long they are.
pub(super) fn listen(output: impl Read + Send + 'static) -> Receiver<Message> {
    const MESSAGES_AHEAD: usize = 64;
    let (sender, messages) = sync_channel(MESSAGES_AHEAD);
    std::thread::spawn(move || forward(&mut BufReader::new(output), &sender));
    messages
}

fn forward(output: &mut impl BufRead, sender: &SyncSender<Message>) {
    const LONGEST_LINE: u64 = 1 << 16;
    let mut line = Vec::new();
    loop {
        line.clear();
        match output.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        if line.ends_with(b"\n") {
            if let Ok(message) = serde_json::from_slice(&line)
                && sender.send(message).is_err()
            {
                return;
            }
        } else if output.skip_until(b'\n').is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: impl Into<Vec<u8>>) -> Vec<Message> {
        listen(std::io::Cursor::new(text.into())).iter().collect()
    }

    #[test]
    fn what_is_no_message_is_skipped() {
        let mut text =
            b"Downloading...\n\xff\xfe\n{}\n{\"type\":\"progress\",\"percent\":-1}\n[1]\n\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 1 << 20));
        text.extend(
            b"{\"type\":\"progress\",\"percent\":3}\n{\"type\":\"progress\",\"percent\":7,\"more\":[]}\n",
        );
        text.extend(
            b"{\"type\":\"result\",\"stems\":{\"bass\":\"b\"}}\n{\"type\":\"progress\",\"percent\":9}",
        );
        let stems = BTreeMap::from([("bass".to_owned(), "b".to_owned())]);
        assert_eq!(messages(text), [Message::Progress { percent: 7 }, Message::Result { stems }]);
    }

    #[test]
    fn deep_nesting_is_skipped() {
        assert_eq!(messages(format!("{}\n", "[".repeat(60_000))), []);
    }
}
