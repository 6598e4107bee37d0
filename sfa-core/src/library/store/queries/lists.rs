//! Pages of tracks: any filters, in any order.

use std::ops::RangeInclusive;

use sfa_audio::analyze::Key;
use sqlx::QueryBuilder;

use super::search::Words;
use super::{Database, FOUND, INDEX_HINT, PACKED, PAGE_LIMIT, Rows, Scope, failed, rows};
use crate::library::{
    LibraryError, LibraryErrorKind, LibraryResult, Track, TrackId, TrackOrder, TrackQuery, TrackStatus,
};

/// Where a filter leaves no more tracks than this, they are looked up by it and sorted. Otherwise the list is gone
/// through in its order until a page is full: soon, or at the end of an index that holds what is filtered by.
const FEW: i64 = 2000;

/// What is read of a track.
macro_rules! select_tracks {
    () => {
        "select t.id, t.title, t.artist, t.album, t.file_name, t.blob_hash, b.size_bytes, t.duration_ms, \
         t.created_at_ms, t.analyzed_at_ms, t.bpm, t.key_place, t.energy, t.lufs, t.status from "
    };
}
/// Joins what a track is listed with, and leaves the tracks of one user.
const OF_USER: &str = " join blobs b on b.hash = t.blob_hash where t.user_id = ";
/// Reads one track, `$2`, of user `$1`.
pub(super) const ONE_TRACK: &str = concat!(
    select_tracks!(),
    "tracks t join blobs b on b.hash = t.blob_hash where t.user_id = $1 and t.id = $2"
);
/// Reads those of user `$1` that are named in the list `$2`.
pub(super) const SOME_TRACKS: &str = concat!(
    select_tracks!(),
    "tracks t join blobs b on b.hash = t.blob_hash where t.user_id = $1 and t.id in ",
    listed!("$2")
);

type Sql = QueryBuilder<Database>;

/// A column that a list is sorted by, and the index that holds it in order.
struct Order {
    column: &'static str,
    index: &'static str,
    /// Whether tracks may be without it. Those come last, whichever way round.
    is_optional: bool,
    is_descending: bool,
}

impl Order {
    fn of(query: &TrackQuery) -> Self {
        let (column, index, is_optional) = match query.order {
            TrackOrder::Newest => ("created_at_ms", "tracks_newest", false),
            TrackOrder::Title => ("title", "tracks_by_title", false),
            TrackOrder::Artist => ("artist", "tracks_by_artist", true),
            TrackOrder::Bpm => ("bpm", "tracks_by_bpm", true),
            TrackOrder::Key => ("key_place", "tracks_by_key", true),
            TrackOrder::Duration => ("duration_ms", "tracks_by_duration", true),
            TrackOrder::Energy => ("energy", "tracks_by_energy", true),
        };
        let is_descending = (query.order == TrackOrder::Newest) != query.is_reversed;
        Self { column, index, is_optional, is_descending }
    }

    fn lacks(&self, track: &Track) -> bool {
        let analysis = track.analysis.as_ref();
        match self.column {
            "artist" => track.artist.is_none(),
            "duration_ms" => track.duration_ms.is_none(),
            "bpm" => analysis.is_none_or(|analysis| analysis.bpm.is_none()),
            "key_place" => analysis.is_none_or(|analysis| analysis.key.is_none()),
            "energy" => analysis.is_none_or(|analysis| analysis.energy.is_none()),
            _ => false,
        }
    }
}

/// One thing that a list leaves tracks out by, and the index that finds the others.
enum Filter<'a> {
    Artist(&'a str),
    Album(&'a str),
    Bpm(&'a RangeInclusive<f64>),
    Keys(&'a [Key]),
    Energy(&'a RangeInclusive<i64>),
    Status(TrackStatus),
    Stems(bool),
}

impl<'a> Filter<'a> {
    fn all(query: &'a TrackQuery) -> Vec<Self> {
        let keys = (!query.keys.is_empty()).then_some(Self::Keys(&query.keys));
        [
            query.artist.as_deref().map(Self::Artist),
            query.album.as_deref().map(Self::Album),
            query.bpm.as_ref().map(Self::Bpm),
            keys,
            query.energy.as_ref().map(Self::Energy),
            query.status.map(Self::Status),
            query.has_stems.map(Self::Stems),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn index(&self) -> &'static str {
        match self {
            Self::Artist(_) => "tracks_by_artist",
            Self::Album(_) => "tracks_by_album",
            Self::Bpm(_) => "tracks_by_bpm",
            Self::Keys(_) => "tracks_by_key",
            Self::Energy(_) => "tracks_by_energy",
            Self::Status(_) | Self::Stems(_) => "tracks_by_status",
        }
    }

    fn push(&self, sql: &mut Sql) {
        match self {
            Self::Artist(artist) => sql.push(" and t.artist = ").push_bind((*artist).to_owned()),
            Self::Album(album) => sql.push(" and t.album = ").push_bind((*album).to_owned()),
            Self::Bpm(range) => sql
                .push(" and t.bpm between ")
                .push_bind(*range.start())
                .push(" and ")
                .push_bind(*range.end()),
            Self::Keys(keys) => {
                let mut list = sql.push(" and t.key_place in (").separated(", ");
                for key in *keys {
                    list.push_bind(i64::try_from(key.wheel_place()).unwrap_or(0));
                }
                sql.push(")")
            }
            Self::Energy(range) => {
                let (least, most) = (*range.start(), *range.end());
                sql.push(" and t.energy between ").push_bind(least).push(" and ").push_bind(most)
            }
            Self::Status(status) => sql.push(" and t.status = ").push_bind(status.name()),
            // Every status is named so that the index, which begins with it, can be used.
            Self::Stems(there) => sql
                .push(" and t.status in ('ready', 'working', 'failed') and t.has_stems = ")
                .push_bind(*there),
        };
    }
}

/// Where the tracks of a list are taken from.
enum Way {
    /// As the database sees fit, or by this index.
    Index(&'static str),
    /// By this word, from the index of letters.
    Word(String),
}

impl Rows {
    /// One page.
    pub(super) async fn page(&self, scope: Scope, query: &TrackQuery) -> LibraryResult<Vec<Track>> {
        if !(1..=PAGE_LIMIT).contains(&query.limit) {
            let message = format!("a page has 1 to {PAGE_LIMIT} tracks, not {}", query.limit);
            return Err(LibraryError::new(LibraryErrorKind::Invalid, message));
        }
        let after = match query.after {
            Some(id) => Some(self.one_track(scope, id).await?),
            None => None,
        };
        let order = Order::of(query);
        let filters = Filter::all(query);
        let words = query.search.as_deref().and_then(Words::of);
        let way = self.best_way(scope, &order, &filters, words.as_ref()).await?;
        let lists = List { scope, order: &order, filters: &filters, words: words.as_ref(), way: &way };
        let is_at_end = after.as_ref().is_some_and(|track| order.lacks(track));
        let mut page = Vec::new();
        if !is_at_end {
            page = self.tracks_of(&lists, true, after.as_ref(), query.limit).await?;
        }
        let left = query.limit - i64::try_from(page.len()).unwrap_or(query.limit);
        if order.is_optional && left > 0 {
            let after = after.as_ref().filter(|_| is_at_end);
            page.extend(self.tracks_of(&lists, false, after, left).await?);
        }
        Ok(page)
    }

    /// One track, or `NotFound`.
    pub(super) async fn one_track(&self, scope: Scope, id: TrackId) -> LibraryResult<Track> {
        let row = sqlx::query(ONE_TRACK)
            .bind(scope.user.to_string())
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        rows::track(&row.ok_or_else(|| LibraryError::not_found("track", id))?)
    }

    /// The way that leads past the fewest tracks, where the database does not know it by itself.
    async fn best_way(
        &self,
        scope: Scope,
        order: &Order,
        filters: &[Filter<'_>],
        words: Option<&Words>,
    ) -> LibraryResult<Way> {
        if let Some(words) = words
            && let Some(word) = self.rare_word(words).await?
        {
            return Ok(Way::Word(word));
        }
        let mut best = (FEW + 1, order.index);
        if let Some(hint) = INDEX_HINT {
            for filter in filters {
                let mut sql = Sql::new("select count(*) from (select 1 from tracks t");
                sql.push(hint).push(filter.index()).push(" where t.user_id = ");
                sql.push_bind(scope.user.to_string());
                filter.push(&mut sql);
                sql.push(" limit ").push_bind(best.0).push(")");
                let count = sql.build_query_scalar().fetch_one(&self.readers).await.map_err(failed)?;
                if count < best.0 {
                    best = (count, filter.index());
                }
            }
        }
        Ok(Way::Index(best.1))
    }

    /// The tracks of a list that have what it is sorted by, or those that lack it.
    async fn tracks_of(
        &self,
        list: &List<'_>,
        is_there: bool,
        after: Option<&Track>,
        limit: i64,
    ) -> LibraryResult<Vec<Track>> {
        let mut sql = list.sql(is_there, after, limit);
        // Where a plan is kept for later values, it can be a slow one for them.
        let is_plain = list.filters.is_empty() && list.words.is_none();
        let found = sql.build().persistent(is_plain).fetch_all(&self.readers).await.map_err(failed)?;
        match (PACKED, found.first()) {
            (Some(_), Some(packed)) => rows::packed_tracks(packed),
            _ => found.iter().map(rows::track).collect(),
        }
    }
}

/// All that makes up a list but where in it we are.
struct List<'a> {
    scope: Scope,
    order: &'a Order,
    filters: &'a [Filter<'a>],
    words: Option<&'a Words>,
    way: &'a Way,
}

impl List<'_> {
    fn sql(&self, is_there: bool, after: Option<&Track>, limit: i64) -> Sql {
        let Order { column, is_optional, is_descending, .. } = *self.order;
        let [pack, packed] = PACKED.unwrap_or_default();
        let mut sql = Sql::new(pack);
        sql.push(select_tracks!());
        match (self.way, INDEX_HINT) {
            (Way::Word(word), _) => {
                sql.push(FOUND[0]).push_bind(word.clone()).push(FOUND[1]);
            }
            (Way::Index(index), Some(hint)) => {
                sql.push("tracks t").push(hint).push(index);
            }
            (Way::Index(_), None) => {
                sql.push("tracks t");
            }
        }
        sql.push(OF_USER).push_bind(self.scope.user.to_string());
        for filter in self.filters {
            filter.push(&mut sql);
        }
        for pattern in self.words.into_iter().flat_map(|words| &words.patterns) {
            sql.push(" and t.search_text like ").push_bind(pattern.clone()).push(" escape '!'");
        }
        if is_optional {
            let condition = if is_there { "is not null" } else { "is null" };
            sql.push(format_args!(" and t.{column} {condition}"));
        }
        let (beyond, way) = if is_descending { ("<", " desc") } else { (">", "") };
        if let Some(after) = after {
            let id = after.id.to_string();
            if is_there {
                sql.push(format_args!(
                    " and (t.{column}, t.id) {beyond} (select {column}, id from tracks where id = "
                ));
                sql.push_bind(id).push(")");
            } else {
                sql.push(format_args!(" and t.id {beyond} ")).push_bind(id);
            }
        }
        sql.push(format_args!(" order by t.{column}{way}, t.id{way} limit ")).push_bind(limit);
        sql.push(packed);
        sql
    }
}
