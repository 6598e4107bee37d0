-- Playlists whose tracks a search finds, and files of several tracks that were packed for another program.

alter table playlists add column rules text
    constraint playlists_rules_length check (rules is null or length(rules) between 1 and 1000);

create table packages (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    name text not null,
    target text not null,
    tracks integer not null,
    blob_hash text not null references blobs (hash),
    size_bytes integer not null,
    created_at_ms integer not null
) strict;
create index packages_of_user on packages (user_id, created_at_ms desc);
create index packages_by_blob on packages (blob_hash);
