-- Searching among many tracks. `search_text` is title, artist and album in lower case and without accents, written
-- by the program, since SQLite knows the lower case of ASCII alone. Of every three letters in a row an index is kept.

alter table tracks add column search_text text not null default '';
update tracks set search_text = lower(' ' || title || ' ' || coalesce(artist, '') || ' ' || coalesce(album, ''));

-- Rows of a virtual table have numbers, and the number of a track must not change when the file is compacted.
create table search_numbers (
    number integer primary key,
    track_id text not null references tracks (id) on delete cascade,
    constraint search_numbers_once unique (track_id)
) strict;
create virtual table search_index using fts5 (search_text, content = '', contentless_delete = 1, tokenize = 'trigram');

insert into search_numbers (track_id) select id from tracks;
insert into search_index (rowid, search_text)
    select n.number, t.search_text from search_numbers n join tracks t on t.id = n.track_id;

create trigger search_follows_new_tracks after insert on tracks
begin
    insert into search_numbers (track_id) values (new.id);
    insert into search_index (rowid, search_text)
        select number, new.search_text from search_numbers where track_id = new.id;
end;
create trigger search_follows_edits after update of search_text on tracks
begin
    delete from search_index where rowid = (select number from search_numbers where track_id = new.id);
    insert into search_index (rowid, search_text)
        select number, new.search_text from search_numbers where track_id = new.id;
end;
create trigger search_forgets_removed_tracks before delete on tracks
begin
    delete from search_index where rowid = (select number from search_numbers where track_id = old.id);
end;
