-- Who users are elsewhere. An issuer calls somebody by one subject for ever; addresses change hands.

create table identities (
    issuer text not null,
    subject text not null,
    user_id text not null references users (id) on delete cascade,
    linked_at_ms integer not null,
    primary key (issuer, subject),
    constraint identities_length check (length(issuer) between 1 and 500 and length(subject) between 1 and 255)
) strict;
create unique index identities_of_user on identities (user_id, issuer);
