-- The library from nothing: whose songs there are, what was made of them, and the work still to do.
-- Times are milliseconds since 1970 by the database's clock; ids are UUIDs of version 7 as text; documents are JSON.

create table users (
    id text primary key,
    name text not null,
    quota_bytes integer,
    created_at_ms integer not null,
    constraint users_name_length check (length(name) between 1 and 160),
    constraint users_quota check (quota_bytes is null or quota_bytes >= 0)
) strict;

-- One row per content. Nothing counts references: rows that name a blob are the truth, and a sweep removes the rest.
create table blobs (
    hash text primary key,
    size_bytes integer not null,
    created_at_ms integer not null,
    constraint blobs_hash_shape check (length(hash) = 64),
    constraint blobs_size check (size_bytes >= 0)
) strict;

create table tracks (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    title text not null,
    artist text,
    album text,
    file_name text not null,
    blob_hash text not null references blobs (hash),
    duration_ms integer,
    created_at_ms integer not null,
    constraint tracks_title_length check (length(title) between 1 and 500),
    constraint tracks_duration check (duration_ms is null or duration_ms > 0),
    -- The same file twice is one track, but of each user.
    constraint tracks_once_per_user unique (user_id, blob_hash)
) strict;
create index tracks_newest on tracks (user_id, created_at_ms desc, id desc);
create index tracks_by_title on tracks (user_id, title, id);
create index tracks_by_artist on tracks (user_id, coalesce(artist, ''), id);
create index tracks_by_blob on tracks (blob_hash);

create table stems (
    track_id text not null references tracks (id) on delete cascade,
    kind text not null,
    engine text not null,
    take text not null,
    blob_hash text not null references blobs (hash),
    file_name text not null,
    size_bytes integer not null,
    peak_dbfs real,
    rms_dbfs real,
    created_at_ms integer not null,
    -- Lead and backing vocals, and edits of one stem, are takes of one kind.
    primary key (track_id, kind, engine, take)
) strict;
create index stems_by_blob on stems (blob_hash);

create table analyses (
    track_id text primary key references tracks (id) on delete cascade,
    bpm real,
    key text,
    camelot text,
    energy integer,
    lufs real,
    document text not null,
    created_at_ms integer not null,
    constraint analyses_bpm check (bpm is null or bpm > 0),
    constraint analyses_energy check (energy is null or energy between 1 and 10)
) strict;

create table cues (
    id text primary key,
    track_id text not null references tracks (id) on delete cascade,
    kind text not null,
    label text not null,
    start_ms integer not null,
    end_ms integer,
    colour text,
    confidence real,
    is_automatic integer not null,
    constraint cues_start check (start_ms >= 0),
    constraint cues_order check (end_ms is null or end_ms > start_ms),
    constraint cues_automatic check (is_automatic in (0, 1))
) strict;
create index cues_of_track on cues (track_id, start_ms);

create table exports (
    track_id text not null references tracks (id) on delete cascade,
    name text not null,
    blob_hash text not null references blobs (hash),
    size_bytes integer not null,
    created_at_ms integer not null,
    primary key (track_id, name)
) strict;
create index exports_by_blob on exports (blob_hash);

create table playlists (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    name text not null,
    created_at_ms integer not null,
    constraint playlists_name_length check (length(name) between 1 and 500),
    constraint playlists_name_once unique (user_id, name)
) strict;

create table playlist_tracks (
    playlist_id text not null references playlists (id) on delete cascade,
    track_id text not null references tracks (id) on delete cascade,
    position integer not null,
    primary key (playlist_id, track_id)
) strict;
create index playlist_tracks_of_track on playlist_tracks (track_id);

create table settings (
    user_id text primary key references users (id) on delete cascade,
    document text not null
) strict;

create table notifications (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    track_id text references tracks (id) on delete cascade,
    kind text not null,
    text text not null,
    created_at_ms integer not null,
    read_at_ms integer
) strict;
create index notifications_of_user on notifications (user_id, created_at_ms desc);

create table batches (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    name text not null,
    total integer not null,
    created_at_ms integer not null,
    constraint batches_total check (total > 0)
) strict;

-- Pause and limits live in rows, so that they hold on every node and after every restart.
create table queues (
    name text primary key,
    is_paused integer not null default 0,
    running_limit integer,
    constraint queues_paused check (is_paused in (0, 1)),
    constraint queues_limit check (running_limit is null or running_limit > 0)
) strict;

create table workers (
    id text primary key,
    name text not null,
    capabilities text not null,
    started_at_ms integer not null,
    seen_at_ms integer not null
) strict;

create table jobs (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    queue text not null,
    kind text not null,
    args text not null,
    track_id text references tracks (id) on delete cascade,
    batch_id text references batches (id) on delete set null,
    state text not null,
    priority integer not null,
    run_at_ms integer not null,
    attempt integer not null default 0,
    max_attempts integer not null,
    snoozes integer not null default 0,
    run_lease integer not null default 0,
    worker_id text,
    lease_until_ms integer,
    deadline_at_ms integer,
    cancel_requested integer not null default 0,
    progress integer not null default 0,
    stage text not null default '',
    requires text not null,
    unique_key text,
    error text,
    created_at_ms integer not null,
    attempted_at_ms integer,
    finished_at_ms integer,
    constraint jobs_state check (state in
        ('available', 'scheduled', 'retryable', 'executing', 'completed', 'cancelled', 'discarded')),
    constraint jobs_progress check (progress between 0 and 100),
    constraint jobs_attempts check (max_attempts > 0 and attempt between 0 and max_attempts),
    constraint jobs_cancel check (cancel_requested in (0, 1)),
    constraint jobs_lease check ((state = 'executing') = (lease_until_ms is not null)),
    constraint jobs_finished check ((state in ('completed', 'cancelled', 'discarded')) = (finished_at_ms is not null))
) strict;
-- By user first: a claim takes a share from everybody who waits, however long one user's line is.
create index jobs_waiting on jobs (queue, user_id, priority, run_at_ms, id)
    where state in ('available', 'scheduled', 'retryable');
create index jobs_leased on jobs (queue, user_id) where state = 'executing';
create index jobs_finished on jobs (finished_at_ms) where finished_at_ms is not null;
create index jobs_of_track on jobs (track_id) where track_id is not null;
create index jobs_of_batch on jobs (batch_id) where batch_id is not null;
create index jobs_of_user on jobs (user_id, created_at_ms desc, id desc);
create unique index jobs_live_once on jobs (user_id, unique_key)
    where unique_key is not null and state in ('available', 'scheduled', 'retryable', 'executing');

create table job_errors (
    job_id text not null references jobs (id) on delete cascade,
    run_lease integer not null,
    at_ms integer not null,
    text text not null,
    primary key (job_id, run_lease)
) strict;

create table schedules (
    name text primary key,
    next_at_ms integer not null
) strict;

-- What happened, numbered within each topic: the log that a listener catches up from.
create table topics (
    name text primary key,
    last_seq integer not null
) strict;

create table events (
    topic text not null,
    seq integer not null,
    user_id text not null references users (id) on delete cascade,
    kind text not null,
    payload text not null,
    at_ms integer not null,
    primary key (topic, seq)
) strict;
create index events_by_age on events (at_ms);
