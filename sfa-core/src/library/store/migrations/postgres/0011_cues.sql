-- Cues and loops that somebody places: on which pad of a player they are, and as what one was found that was
-- automatic before, so that a new analysis does not place it again.

alter table cues add column pad bigint
    constraint cues_pad check (pad is null or pad between 0 and 7);
alter table cues add column found_as text;
create unique index cues_pad_once on cues (track_id, pad) where pad is not null;
