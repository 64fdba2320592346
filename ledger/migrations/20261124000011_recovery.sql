-- migrate:up

-- After a restore the ledger lacks what was done since the backup. What is found again, in Temporal's histories or at the carrier, says where.
-- Its permit is lost with the ledger, and its place in the order of commits: both stay empty.
alter table contacts add column recovered jsonb;       -- {"from", "run_id", "event_id", "heard", ...}; see ledger/recovery.py
alter table tasks add column recovered jsonb;

-- Each recovery, from the stop that it presses to its release.
create table recoveries (
    recovery_id bigint generated always as identity primary key,
    began_at    timestamptz not null default now(),   -- real time, as the other two
    lost_since  timestamptz not null,                 -- the newest thing that the ledger, or whoever began this, knows
    pressed     boolean not null,                     -- whether the stop is its own, and released with it
    ended_at    timestamptz
);
create unique index recoveries_one on recoveries ((true)) where ended_at is null;

-- migrate:down
