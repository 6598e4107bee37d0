-- Writes that can be asked for twice, uploads that go on after a lost connection, secrets of users, and what goes with
-- mail: links that set a new password.

create table tokens_next (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    purpose text not null,
    secret_hash text not null,
    label text not null,
    scopes text not null,
    sent_to text,
    created_at_ms integer not null,
    expires_at_ms integer,
    used_at_ms integer,
    constraint tokens_purpose check (purpose in ('api', 'sign_in', 'change_email', 'reset_password')),
    constraint tokens_label_length check (length(label) <= 160),
    constraint tokens_secret_once unique (secret_hash)
) strict;
insert into tokens_next select id, user_id, purpose, secret_hash, label, scopes, sent_to, created_at_ms, expires_at_ms,
    used_at_ms from tokens;
drop table tokens;
alter table tokens_next rename to tokens;
create index tokens_of_user on tokens (user_id, created_at_ms desc, id desc);
create index tokens_by_end on tokens (expires_at_ms) where expires_at_ms is not null;

-- Whom somebody acts as. It is a matter of their own session, and ends with it.
alter table sessions add column acting_as text references users (id) on delete cascade;
create index sessions_by_acted on sessions (acting_as) where acting_as is not null;

-- Requests that carry a key of their sender's, and what they were answered. Without a status they are being worked on;
-- without a body their answer is not kept, because it held a secret.
create table requests (
    user_id text not null references users (id) on delete cascade,
    route text not null,
    key text not null,
    fingerprint text not null,
    begun_at_ms integer not null,
    status integer,
    headers text,
    body text,
    constraint requests_key_length check (length(key) between 1 and 255),
    primary key (user_id, route, key)
) strict;
create index requests_by_begin on requests (begun_at_ms);

-- Files that come in several requests. How much of one has come, its file says.
create table uploads (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    file_name text not null,
    size_bytes integer not null,
    track_id text,
    expires_at_ms integer not null,
    constraint uploads_size check (size_bytes > 0)
) strict;
create index uploads_of_user on uploads (user_id, expires_at_ms);
create index uploads_by_end on uploads (expires_at_ms);

-- Secrets that have to be read again, such as keys of other services; sealed by a key that is not here.
create table vault (
    user_id text not null references users (id) on delete cascade,
    name text not null,
    key_id text not null,
    sealed text not null,
    changed_at_ms integer not null,
    constraint vault_name_length check (length(name) between 1 and 160),
    primary key (user_id, name)
) strict;
create index vault_by_key on vault (key_id);
