-- Who may use the library: the server lets people in, and an app that nobody signs in to leaves this empty.
-- Secrets are kept as hashes. Addresses are in lower case.

alter table users
    add column email text,
    add column role text not null default 'user',
    add column status text not null default 'active',
    add column password_hash text,
    add column confirmed_at_ms bigint,
    add constraint users_email_shape
        check (email is null or (length(email) between 3 and 160 and email like '%_@_%')),
    add constraint users_role check (role in
        ('user', 'pro', 'enterprise', 'moderator', 'admin', 'platform_admin', 'super_admin', 'system')),
    add constraint users_status check (status in ('active', 'suspended', 'banned'));
create unique index users_email_once on users (email);
create index users_by_name on users (name, id);

create table sessions (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    secret_hash text not null,
    address text not null,
    agent text not null,
    created_at_ms bigint not null,
    expires_at_ms bigint not null,
    authenticated_at_ms bigint not null,
    renewed_at_ms bigint not null,
    constraint sessions_secret_once unique (secret_hash)
);
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
    created_at_ms bigint not null,
    expires_at_ms bigint,
    used_at_ms bigint,
    constraint tokens_purpose check (purpose in ('api', 'sign_in', 'change_email')),
    constraint tokens_label_length check (length(label) <= 160),
    constraint tokens_secret_once unique (secret_hash)
);
create index tokens_of_user on tokens (user_id, created_at_ms desc, id desc);
create index tokens_by_end on tokens (expires_at_ms) where expires_at_ms is not null;

-- Who did it is written down, not referred to: lines outlive the accounts that they name.
create table audit_log (
    seq bigint generated always as identity primary key,
    actor_id text not null,
    action text not null,
    target_kind text not null,
    target text not null,
    changes text not null,
    address text,
    at_ms bigint not null
);
create index audit_log_of_actor on audit_log (actor_id, seq desc);
create index audit_log_of_target on audit_log (target, seq desc);

create function audit_log_is_only_added_to() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only added to';
end
$$;
create trigger audit_log_is_not_changed before update or delete on audit_log
    for each row execute function audit_log_is_only_added_to();
