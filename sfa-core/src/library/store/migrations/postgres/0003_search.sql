-- Searching among many tracks. `search_text` is title, artist and album in lower case and without accents, written
-- by the program, so that both databases find the same. Of every three letters in a row an index is kept.

create extension if not exists pg_trgm;
alter table tracks add column search_text text not null default '';
update tracks set search_text = lower(' ' || title || ' ' || coalesce(artist, '') || ' ' || coalesce(album, ''));
create index search_index on tracks using gin (search_text gin_trgm_ops);
