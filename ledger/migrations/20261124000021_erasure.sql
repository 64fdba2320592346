-- migrate:up

-- A letter whose person was erased leaves its digest behind.
alter table letters alter column pdf drop not null;

-- Whose data were erased, when and why: ids and counts alone.
create table erasures (
    erasure_id bigint generated always as identity primary key,
    lender_id  text not null references lenders,
    party_id   text not null,
    erased_at  timestamptz not null,
    reason     text not null,
    counts     jsonb not null
);
comment on table erasures is 'Whose data were erased, when and why.';
comment on column erasures.erasure_id is 'In the order of the erasures.';
comment on column erasures.lender_id is 'The lender.';
comment on column erasures.party_id is 'The person, by the lender''s id.';
comment on column erasures.erased_at is 'Business time.';
comment on column erasures.reason is 'Why, in the words of whoever erased.';
comment on column erasures.counts is 'How many rows of each kind were changed.';

-- migrate:down
