-- Who may use the library: the server lets people in, and an app that nobody signs in to leaves this empty.
-- Secrets are kept as hashes. Addresses are in lower case.

alter table users add column email text
    constraint users_email_shape check (email is null or (length(email) between 3 and 160 and email like '%_@_%'));
alter table users add column role text not null default 'user'
    constraint users_role check (role in
        ('user', 'pro', 'enterprise', 'moderator', 'admin', 'platform_admin', 'super_admin', 'system'));
alter table users add column status text not null default 'active'
    constraint users_status check (status in ('active', 'suspended', 'banned'));
alter table users add column password_hash text;
alter table users add column confirmed_at_ms integer;
create unique index users_email_once on users (email);
create index users_by_name on users (name, id);

create table sessions (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    secret_hash text not null,
    address text not null,
    agent text not null,
    created_at_ms integer not null,
    expires_at_ms integer not null,
    authenticated_at_ms integer not null,
    renewed_at_ms integer not null,
    constraint sessions_secret_once unique (secret_hash)
) strict;
create index sessions_of_user on sessions (user_id, created_at_ms desc, id desc);
create index sessions_by_end on sessions (expires_at_ms);

create table tokens (
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
    constraint tokens_purpose check (purpose in ('api', 'sign_in', 'change_email')),
    constraint tokens_label_length check (length(label) <= 160),
    constraint tokens_secret_once unique (secret_hash)
) strict;
create index tokens_of_user on tokens (user_id, created_at_ms desc, id desc);
create index tokens_by_end on tokens (expires_at_ms) where expires_at_ms is not null;

-- Who did it is written down, not referred to: lines outlive the accounts that they name.
create table audit_log (
    seq integer primary key autoincrement,
    actor_id text not null,
    action text not null,
    target_kind text not null,
    target text not null,
    changes text not null,
    address text,
    at_ms integer not null
) strict;
create index audit_log_of_actor on audit_log (actor_id, seq desc);
create index audit_log_of_target on audit_log (target, seq desc);

create trigger audit_log_is_not_changed before update on audit_log
begin
    select raise(abort, 'the audit log is only added to');
end;
create trigger audit_log_is_not_emptied before delete on audit_log
begin
    select raise(abort, 'the audit log is only added to');
end;
