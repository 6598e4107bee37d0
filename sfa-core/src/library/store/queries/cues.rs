//! Writing cues and loops.

use std::collections::HashSet;

use serde_json::json;

use super::changes::Writer;
use super::failed;
use super::rows::get;
use crate::library::{CueId, LibraryCue, LibraryError, LibraryErrorKind, LibraryResult, PlacedCue, TrackId};

/// Cues and loops that somebody may place in one track.
const MOST_PLACED: i64 = 500;

/// By what an automatic cue is known again, as [`LibraryCue::found_as`] has it; one that was changed remembers it.
macro_rules! found_as {
    () => {
        "case when is_automatic = true then kind || ':' || cast(start_ms as text) || ':' \
         || coalesce(cast(end_ms as text), '') else found_as end"
    };
}

impl Writer<'_> {
    pub(super) async fn replace_cues(&mut self, track: TrackId, cues: Vec<LibraryCue>) -> LibraryResult<()> {
        self.own_track(track).await?;
        self.forget("delete from cues where track_id = $1 and is_automatic = true", track).await?;
        let decided = sqlx::query(
            "select found_as, pad from cues where track_id = $1 \
             union all select found_as, null from unwanted_cues where track_id = $1",
        )
        .bind(track.to_string())
        .fetch_all(&mut *self.connection)
        .await
        .map_err(failed)?;
        let (mut known, mut taken) = (HashSet::new(), HashSet::new());
        for row in &decided {
            known.extend(get::<Option<String>>(row, "found_as")?);
            taken.extend(get::<Option<i64>>(row, "pad")?);
        }
        for cue in cues.iter().filter(|cue| !known.contains(&cue.found_as())) {
            let pad = cue.pad.filter(|&pad| !taken.contains(&i64::from(pad)));
            self.insert_cue(track, &LibraryCue { pad, ..cue.clone() }).await?;
        }
        self.tell_track(track, "track.cued", json!({"cues": cues.len()})).await
    }

    pub(super) async fn add_cue(&mut self, track: TrackId, id: CueId, cue: PlacedCue) -> LibraryResult<()> {
        self.make_room(track, id, &cue).await?;
        let placed: i64 =
            sqlx::query_scalar("select count(*) from cues where track_id = $1 and is_automatic = false")
                .bind(track.to_string())
                .fetch_one(&mut *self.connection)
                .await
                .map_err(failed)?;
        if placed >= MOST_PLACED {
            let message = format!("a song has up to {MOST_PLACED} cues of yours; remove some");
            return Err(LibraryError::new(LibraryErrorKind::Conflict, message));
        }
        let PlacedCue { kind, label, start_ms, end_ms, colour, pad } = cue;
        let cue = LibraryCue {
            id,
            kind,
            label,
            start_ms,
            end_ms,
            colour,
            pad,
            confidence: None,
            is_automatic: false,
        };
        self.insert_cue(track, &cue).await?;
        self.tell_track(track, "cue.placed", json!({"cue": id})).await
    }

    pub(super) async fn set_cue(&mut self, track: TrackId, id: CueId, cue: &PlacedCue) -> LibraryResult<()> {
        self.make_room(track, id, cue).await?;
        // An automatic one is remembered as it was found, so that it is not placed anew beside what became of it.
        let changed = sqlx::query(concat!(
            "update cues set found_as = ",
            found_as!(),
            ", kind = $3, label = $4, start_ms = $5, end_ms = $6, colour = $7, pad = $8, confidence = null, \
             is_automatic = false where id = $1 and track_id = $2"
        ))
        .bind(id.to_string())
        .bind(track.to_string())
        .bind(&cue.kind)
        .bind(&cue.label)
        .bind(cue.start_ms)
        .bind(cue.end_ms)
        .bind(&cue.colour)
        .bind(cue.pad.map(i64::from))
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        if changed.rows_affected() == 0 {
            return Err(LibraryError::not_found("cue", id));
        }
        self.tell_track(track, "cue.placed", json!({"cue": id})).await
    }

    pub(super) async fn remove_cue(&mut self, track: TrackId, id: CueId) -> LibraryResult<()> {
        self.own_track(track).await?;
        let found_as: Option<String> = sqlx::query_scalar(concat!(
            "delete from cues where id = $1 and track_id = $2 returning ",
            found_as!()
        ))
        .bind(id.to_string())
        .bind(track.to_string())
        .fetch_optional(&mut *self.connection)
        .await
        .map_err(failed)?
        .ok_or_else(|| LibraryError::not_found("cue", id))?;
        // What is found once more is not placed against somebody's will.
        if let Some(found_as) = found_as {
            sqlx::query(
                "insert into unwanted_cues (track_id, found_as) values ($1, $2) on conflict do nothing",
            )
            .bind(track.to_string())
            .bind(found_as)
            .execute(&mut *self.connection)
            .await
            .map_err(failed)?;
        }
        self.tell_track(track, "cue.removed", json!({"cue": id})).await
    }

    async fn insert_cue(&mut self, track: TrackId, cue: &LibraryCue) -> LibraryResult<()> {
        sqlx::query(
            "insert into cues (id, track_id, kind, label, start_ms, end_ms, colour, pad, confidence, is_automatic) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(cue.id.to_string())
        .bind(track.to_string())
        .bind(&cue.kind)
        .bind(&cue.label)
        .bind(cue.start_ms)
        .bind(cue.end_ms)
        .bind(&cue.colour)
        .bind(cue.pad.map(i64::from))
        .bind(cue.confidence)
        .bind(cue.is_automatic)
        .execute(&mut *self.connection)
        .await
        .map(|_| ())
        .map_err(failed)
    }

    /// Refuses what cannot be in the user's track, and takes the pad from an automatic cue.
    async fn make_room(&mut self, track: TrackId, id: CueId, cue: &PlacedCue) -> LibraryResult<()> {
        let duration: Option<Option<i64>> =
            sqlx::query_scalar("select duration_ms from tracks where id = $1 and user_id = $2")
                .bind(track.to_string())
                .bind(self.user())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(failed)?;
        cue.check(duration.ok_or_else(|| LibraryError::not_found("track", track))?)?;
        let Some(pad) = cue.pad else { return Ok(()) };
        sqlx::query(
            "update cues set pad = null where track_id = $1 and pad = $2 and is_automatic = true and id <> $3",
        )
        .bind(track.to_string())
        .bind(i64::from(pad))
        .bind(id.to_string())
        .execute(&mut *self.connection)
        .await
        .map(|_| ())
        .map_err(failed)
    }
}
