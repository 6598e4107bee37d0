//! `sfa library list`: songs by what is known of them.

use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use sfa_core::audio::analyze::Key;
use sfa_core::library::{Library, LibraryError, Scope, Track, TrackOrder, TrackQuery, TrackStatus};

use super::super::{Context, Exit, terminal};

const PAGE: i64 = 500;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only those whose title, artist or album contains this
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,

    /// Only by this artist
    #[arg(long, value_name = "NAME")]
    artist: Option<String>,

    /// Only from this album
    #[arg(long, value_name = "NAME")]
    album: Option<String>,

    /// Only these: ready, working, failed
    #[arg(long)]
    status: Option<TrackStatus>,

    /// Only in these tempos, for example 120-128
    #[arg(long, value_name = "SLOWEST-FASTEST", value_parser = range::<f64>)]
    bpm: Option<RangeInclusive<f64>>,

    /// Only in these keys, separated by commas: "A minor", Am, 8A or 1m
    #[arg(long = "key", value_name = "KEY,...", value_delimiter = ',')]
    keys: Vec<Key>,

    /// Only of this energy, 1 to 10, for example 6-10
    #[arg(long, value_name = "LEAST-MOST", value_parser = range::<i64>)]
    energy: Option<RangeInclusive<i64>>,

    /// Only those with stems
    #[arg(long, conflicts_with = "without_stems")]
    with_stems: bool,

    /// Only those without stems
    #[arg(long)]
    without_stems: bool,

    /// The order; songs without what they are sorted by come last
    #[arg(long, value_enum, default_value = "newest")]
    sort: Sort,

    /// The other way round
    #[arg(long)]
    reverse: bool,

    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// Print one line of JSON per song on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sort {
    /// Last added first
    Newest,
    /// By title
    Title,
    /// By artist
    Artist,
    /// The slowest first
    Bpm,
    /// Round the Camelot wheel from 1A
    Key,
    /// The shortest first
    Duration,
    /// The calmest first
    Energy,
}

impl From<Sort> for TrackOrder {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Newest => Self::Newest,
            Sort::Title => Self::Title,
            Sort::Artist => Self::Artist,
            Sort::Bpm => Self::Bpm,
            Sort::Key => Self::Key,
            Sort::Duration => Self::Duration,
            Sort::Energy => Self::Energy,
        }
    }
}

/// Reads "120-128", or "128" for one value.
fn range<T: FromStr + Clone + PartialOrd>(text: &str) -> Result<RangeInclusive<T>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse::<T>(), last.trim().parse::<T>()) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err("must be one number or two that rise, as in 120-128".to_owned()),
    }
}

impl Arguments {
    fn query(&self) -> TrackQuery {
        TrackQuery {
            search: self.search.clone(),
            artist: self.artist.clone(),
            album: self.album.clone(),
            status: self.status,
            bpm: self.bpm.clone(),
            keys: self.keys.clone(),
            energy: self.energy.clone(),
            has_stems: (self.with_stems || self.without_stems).then_some(self.with_stems),
            order: self.sort.into(),
            is_reversed: self.reverse,
            limit: PAGE,
            after: None,
        }
    }
}

pub(super) async fn run(
    context: &Context,
    library: &Library,
    arguments: &Arguments,
) -> Result<Exit, LibraryError> {
    let mut query = arguments.query();
    let mut left = arguments.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    loop {
        query.limit = PAGE.min(left);
        let page = library.rows().tracks(Scope::LOCAL, &query).await?;
        for track in &page {
            context.terminal.print(if arguments.json { line_json(track) } else { line(track) });
        }
        let count = i64::try_from(page.len()).unwrap_or(PAGE);
        left -= count;
        query.after = page.last().map(|track| track.id);
        if count < PAGE || left <= 0 {
            return Ok(Exit::Success);
        }
    }
}

pub(super) fn line_json(track: &Track) -> String {
    serde_json::to_string(track).expect("a track is plain data")
}

pub(super) fn line(track: &Track) -> String {
    let mut parts = vec![track.id.to_string(), format!("{:<8}", track.status.name())];
    parts.push(track.duration_ms.map_or("-:--".to_owned(), |ms| terminal::clock(ms as f64 / 1000.0)));
    if let Some(analysis) = &track.analysis {
        parts.push(analysis.bpm.map_or("no pulse".to_owned(), |bpm| format!("{bpm:.2} BPM")));
        parts.push(analysis.camelot.clone().unwrap_or_else(|| "no key".to_owned()));
    }
    parts.push(match &track.artist {
        Some(artist) => format!("{artist} - {}", track.title),
        None => track.title.clone(),
    });
    parts.join("  ")
}
