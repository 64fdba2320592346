-- migrate:up

-- Every contact that was ever meant. `sending` is the contact: it may have reached the person, and is never sent again.
create table contacts (
    contact_id     text primary key,                  -- also the attempt id in the carrier's callback address
    lender_id      text not null,
    loan_id        text not null,
    episode        int  not null,
    step_id        text not null,
    ordinal        int  not null,
    channel        text not null check (channel in ('sms', 'call', 'visit', 'letter')),
    purpose        text not null check (purpose in ('collect', 'reminder', 'statutory', 'service', 'reply')),
    party_id       text not null,
    contact_value  text,
    state          text not null check (state in ('reserved', 'cancelled', 'forbidden', 'shadow', 'sending', 'sent', 'unknown', 'failed')),
    template       text,
    language       text,
    body           text,
    reference      text,                              -- printed in the text; finds it again at the carrier
    permit         jsonb,                             -- the gate's verdict: facts, rules that spoke
    ledger_version bigint,                            -- that the permit saw
    commit_order   bigint,                            -- of the commit to `sending`
    business_date  date,                              -- the lender's, at `sending`
    reserved_at    timestamptz not null,
    sending_at     timestamptz,                       -- business time
    sending_real   timestamptz,                       -- real time, for the look-up at the carrier
    settled_at     timestamptz,
    carrier_id     text unique,
    carrier_status text,                              -- what its callbacks said last
    error_code     int,
    reason         text,
    unique (lender_id, loan_id, episode, step_id, ordinal),
    foreign key (lender_id, loan_id) references cases
);
create index contacts_by_party on contacts (lender_id, party_id, channel, sending_at);
create index contacts_by_value on contacts (lender_id, contact_value, sending_at);

-- Texts that came in; and what a number asked us never to do again.
create table inbound (
    carrier_id  text primary key,
    sender      text not null,
    body        text not null,
    received_at timestamptz not null
);

create table suppressions (
    lender_id text not null,
    channel   text not null,
    value     text not null,
    since     timestamptz not null,
    reason    text not null,
    primary key (lender_id, channel, value)
);

-- The stop button. '*' is all.
create table stops (
    lender_id  text not null,
    channel    text not null,
    strategy   text not null,
    stopped_at timestamptz not null default now(),
    reason     text,
    primary key (lender_id, channel, strategy)
);

create table letters (
    contact_id text primary key references contacts,
    pdf        bytea not null,
    digest     text not null
);

-- Maps real time to business time. One row; without it both are the same.
create table business_clock (
    only_row        boolean primary key default true check (only_row),
    real_anchor     timestamptz not null,
    business_anchor timestamptz not null,
    speed           numeric not null check (speed > 0),
    paused          boolean not null default false,
    seen_at         timestamptz not null default now()  -- last sign of life of the stack that runs it
);

-- migrate:down
