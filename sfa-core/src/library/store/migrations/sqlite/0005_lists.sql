-- Lists with filters in every order. What a list shows, filters and sorts by stands in the row of the track, where one
-- index can hold it: what was measured, whether there are stems, and what its jobs add up to.

alter table tracks add column bpm real
    constraint tracks_bpm check (bpm is null or bpm > 0);
-- 0 is 1A, 1 is 1B, 2 is 2A and so on round the Camelot wheel: both names of a key follow from it.
alter table tracks add column key_place integer
    constraint tracks_key_place check (key_place is null or key_place between 0 and 23);
alter table tracks add column energy integer
    constraint tracks_energy check (energy is null or energy between 1 and 10);
alter table tracks add column lufs real;
alter table tracks add column analyzed_at_ms integer;
alter table tracks add column has_stems integer not null default 0
    constraint tracks_has_stems check (has_stems in (0, 1));
alter table tracks add column status text not null default 'ready'
    constraint tracks_status check (status in ('ready', 'working', 'failed'));

update tracks set bpm = a.bpm, energy = a.energy, lufs = a.lufs, analyzed_at_ms = a.created_at_ms,
    key_place = (cast(substr(a.camelot, 1, length(a.camelot) - 1) as integer) - 1) * 2
        + case when a.camelot like '%B' then 1 else 0 end
    from analyses a where a.track_id = tracks.id;
update tracks set has_stems = true where exists (select 1 from stems s where s.track_id = tracks.id);
update tracks set status = case
    when exists (select 1 from jobs j where j.track_id = tracks.id
        and j.state in ('available', 'scheduled', 'retryable', 'executing')) then 'working'
    when (select j.state from jobs j where j.track_id = tracks.id and j.finished_at_ms is not null
        order by j.finished_at_ms desc, j.id desc limit 1) = 'discarded' then 'failed'
    else 'ready' end;

-- This database drops no column that a check names.
create table documents (
    track_id text primary key references tracks (id) on delete cascade,
    document text not null,
    created_at_ms integer not null
) strict;
insert into documents (track_id, document, created_at_ms) select track_id, document, created_at_ms from analyses;
drop table analyses;
alter table documents rename to analyses;

-- Each order has an index that also holds what is filtered by: going through it to the end reads no row in vain.
drop index tracks_newest;
drop index tracks_by_title;
drop index tracks_by_artist;
create index tracks_newest
    on tracks (user_id, created_at_ms desc, id desc, bpm, key_place, energy, status, has_stems);
create index tracks_by_title on tracks (user_id, title, id, bpm, key_place, energy, status, has_stems);
create index tracks_by_artist on tracks (user_id, artist, id, bpm, key_place, energy, status, has_stems);
create index tracks_by_album on tracks (user_id, album, id, bpm, key_place, energy, status, has_stems);
create index tracks_by_bpm on tracks (user_id, bpm, id, key_place, energy, status, has_stems);
create index tracks_by_key on tracks (user_id, key_place, id, bpm, energy, status, has_stems);
create index tracks_by_energy on tracks (user_id, energy, id, bpm, key_place, status, has_stems);
create index tracks_by_duration on tracks (user_id, duration_ms, id, bpm, key_place, energy, status, has_stems);
create index tracks_by_status on tracks (user_id, status, has_stems);

-- The tracks of a batch: how far it is follows from theirs, whatever becomes of old jobs. A track that is removed has
-- nothing left to do, so its row stays.
create table batch_tracks (
    batch_id text not null references batches (id) on delete cascade,
    track_id text not null,
    primary key (batch_id, track_id)
) strict;
insert into batch_tracks (batch_id, track_id)
    select distinct batch_id, track_id from jobs where batch_id is not null and track_id is not null;
create index batches_of_user on batches (user_id, created_at_ms desc, id desc);

-- Which step made a file: each replaces its own.
alter table exports add column step text not null default 'export';
