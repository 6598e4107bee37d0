//! What this process has logged lately, for those who may see it.
//!
//! It is a layer of `tracing` beside the one that writes the log, keeps the newest entries and hands each to whoever
//! follows. Nothing waits for a follower.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::{self, Debug, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::broadcast;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Entries that are kept for those who come later.
const KEPT: usize = 500;
/// Entries that a follower may be behind.
const BEHIND: usize = 256;
/// Longer texts are cut off.
const LONGEST_CHARS: usize = 2000;
/// Letters may be logged in place of being sent, with the links that are in them.
const LETTERS: &str = "sfa_server::mail";
/// What all secrets of ours begin with, and how long they are from there.
const SECRET: &str = "sfa_";
const SECRET_DIGITS: usize = 64;

/// The newest entries of the log of this process. Clones are the same; without being made a layer of the subscriber it
/// stays empty.
#[derive(Clone)]
pub struct Journal(Arc<Shared>);

struct Shared {
    kept: Mutex<Kept>,
    news: broadcast::Sender<Arc<Entry>>,
}

#[derive(Default)]
struct Kept {
    entries: VecDeque<Arc<Entry>>,
    /// The number of the last one.
    last: i64,
}

/// A line of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Counts within the process.
    pub(super) number: i64,
    /// Milliseconds since 1970.
    pub(super) at_ms: i64,
    #[serde(serialize_with = "lower_case", deserialize_with = "level")]
    pub(super) level: Level,
    /// Which part of the program.
    pub(super) target: Cow<'static, str>,
    pub(super) message: String,
    /// Everything else that was said, also by what it happened in: `request_id`, `job_id`, `user_id` and the like.
    pub(super) fields: Map<String, Value>,
}

impl Entry {
    /// A field that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }
}

fn lower_case<S: serde::Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&level.as_str().to_lowercase())
}

fn level<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl Default for Journal {
    fn default() -> Self {
        Self(Arc::new(Shared { kept: Mutex::default(), news: broadcast::Sender::new(BEHIND) }))
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").finish_non_exhaustive()
    }
}

impl PartialEq for Journal {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Journal {}

impl Journal {
    /// The entries that are kept, the oldest first, and all that come after these.
    pub(super) fn follow(&self) -> (Vec<Arc<Entry>>, Following) {
        let kept = self.kept();
        // Under the same lock as entries are added: none is missed, none comes twice.
        let news = self.0.news.subscribe();
        (kept.entries.iter().cloned().collect(), Following { news })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, mut entry: Entry) {
        let mut kept = self.kept();
        kept.last += 1;
        entry.number = kept.last;
        let entry = Arc::new(entry);
        if kept.entries.len() >= KEPT {
            kept.entries.pop_front();
        }
        kept.entries.push_back(Arc::clone(&entry));
        // Nobody listening is no fault.
        self.0.news.send(entry).ok();
    }
}

/// Entries as they come.
pub(super) struct Following {
    news: broadcast::Receiver<Arc<Entry>>,
}

impl Following {
    /// Waits for the next entry, or says how many went by too fast. A wait that is given up loses nothing.
    pub(super) async fn next(&mut self) -> Result<Arc<Entry>, u64> {
        loop {
            match self.news.recv().await {
                Ok(entry) => return Ok(entry),
                Err(broadcast::error::RecvError::Lagged(missed)) => return Err(missed),
                // The journal is gone with the server, which closes what follows it.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// What a span or an event says.
#[derive(Default)]
pub(super) struct Said {
    pub(super) message: String,
    pub(super) fields: Map<String, Value>,
}

impl Said {
    fn put(&mut self, field: &Field, value: Value) {
        self.fields.insert(field.name().to_owned(), value);
    }
}

impl Visit for Said {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(careful(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // What cannot be shown is shown as far as it can.
        write!(text, "{value:?}").ok();
        if field.name() == "message" {
            self.message = careful(&text);
        } else {
            self.put(field, json!(careful(&text)));
        }
    }
}

/// A text that is short enough, and has no secret of ours in it, whoever wrote one there.
fn careful(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST_CHARS).collect();
    let mut from = 0;
    while let Some(found) = shown[from..].find(SECRET) {
        let begin = from + found + SECRET.len();
        let digits = shown[begin..].bytes().take(SECRET_DIGITS).take_while(u8::is_ascii_hexdigit).count();
        if digits >= SECRET_DIGITS / 4 {
            shown.replace_range(begin..begin + digits, "…");
        }
        from = begin;
    }
    shown
}

impl<S> Layer<S> for Journal
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut said = Said::default();
        attributes.record(&mut said);
        span.extensions_mut().insert(said);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(said) = span.extensions_mut().get_mut::<Said>() {
            values.record(said);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let about = event.metadata();
        if about.target().starts_with(LETTERS) {
            return;
        }
        let mut fields = Map::new();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(said) = span.extensions().get::<Said>() {
                fields.extend(said.fields.clone());
            }
        }
        let mut said = Said::default();
        event.record(&mut said);
        fields.extend(said.fields);
        self.add(Entry {
            number: 0,
            at_ms: super::now_ms(),
            level: *about.level(),
            target: about.target().into(),
            message: said.message,
            fields,
        });
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn logged(work: impl FnOnce()) -> Vec<Arc<Entry>> {
        let journal = Journal::default();
        let subscriber = tracing_subscriber::registry().with(journal.clone());
        tracing::subscriber::with_default(subscriber, work);
        journal.follow().0
    }

    #[test]
    fn an_entry_tells_what_it_happened_in() {
        let entries = logged(|| {
            let span = tracing::info_span!("job", job_id = "j", user_id = tracing::field::Empty, n = 1);
            span.record("user_id", "u");
            let _inside = span.enter();
            tracing::warn!(n = 2, "failed: {}", "why");
        });
        let entry = &entries[0];
        assert_eq!((entry.level, entry.message.as_str(), entry.number), (Level::WARN, "failed: why", 1));
        assert_eq!(
            (entry.text("job_id"), entry.text("user_id"), &entry.fields["n"]),
            (Some("j"), Some("u"), &json!(2))
        );
        assert_eq!(serde_json::to_value(&**entry).unwrap()["level"], "warn");
    }

    #[test]
    fn only_the_newest_are_kept_and_none_is_longer_than_it_may_be() {
        let entries = logged(|| (0..KEPT + 7).for_each(|_| tracing::info!("{}", "ä".repeat(5000))));
        assert_eq!((entries.len(), entries[0].number), (KEPT, 8));
        assert_eq!(entries[0].message.chars().count(), LONGEST_CHARS);
    }

    #[test]
    fn secrets_and_letters_are_not_in_it() {
        let secret = format!("sfa_{}", "0a".repeat(32));
        let entries = logged(|| {
            tracing::info!(token = secret, "got {secret} and sfa_step");
            tracing::info!(target: "sfa_server::mail::log", "mail: {secret}");
        });
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].message, "got sfa_… and sfa_step");
        assert_eq!(entries[0].text("token"), Some("sfa_…"));
    }

    #[tokio::test]
    async fn who_is_too_slow_is_told_how_many_went_by() {
        let journal = Journal::default();
        let subscriber = tracing_subscriber::registry().with(journal.clone());
        let (before, mut following) = journal.follow();
        tracing::subscriber::with_default(subscriber, || (0..BEHIND + 3).for_each(|n| tracing::info!(n)));
        assert!(before.is_empty());
        assert_eq!(following.next().await.unwrap_err(), 3);
        assert_eq!(following.next().await.unwrap().fields["n"], 3);
    }
}
