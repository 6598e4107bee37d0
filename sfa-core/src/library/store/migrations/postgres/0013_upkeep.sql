-- What a library does about itself: by which times a schedule was reckoned, so that others than those begin anew; which
-- contents were not there when somebody looked; and which of the cues that are found somebody does not want.

alter table schedules add column times text;

alter table blobs add column missing_since_ms bigint;
create index blobs_missing on blobs (hash) where missing_since_ms is not null;

create table unwanted_cues (
    track_id text not null references tracks (id) on delete cascade,
    found_as text not null,
    primary key (track_id, found_as)
);
