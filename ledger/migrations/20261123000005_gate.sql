-- migrate:up

-- What the gate reads besides money and contacts, and what it leaves behind.

-- Every rulebook that ever decided, by content, so that a permit can be given again years later.
create table rulebooks (
    digest       text primary key,                    -- SHA-256 of the canonical content, with the rules then in force
    name         text not null,
    content      jsonb not null,
    published_at timestamptz not null default now()
);

alter table lenders
    add column chosen_rules text[] not null default '{}',   -- rules switched on beyond the defaults
    add column feed_hours   int check (feed_hours > 0);     -- how old the payment feed may be; null where none was promised

-- When a lender's payment feed came last, in business time; each file of entries counts, an empty one too.
create table feeds (
    lender_id text primary key references lenders,
    fed_at    timestamptz not null
);

-- Notices served about a loan: by our own letters, or by the lender, who says so.
create table notices (
    lender_id   text not null,
    notice_id   text not null,
    loan_id     text not null,
    party_id    text,                                 -- null is the borrower
    kind        text not null,                        -- validation, default, arrears, ...
    served_on   date not null,                        -- the day it counts as served
    method      text not null,                        -- letter, email, hand, ...
    proof       text,
    amounts     jsonb not null default '[]',          -- itemised: [{"item", "amount"}]
    contact_id  text references contacts,             -- ours, if it was a letter of ours
    recorded_at timestamptz not null default now(),
    version     int not null default 1,
    primary key (lender_id, notice_id),
    foreign key (lender_id, loan_id) references loans
);
create index notices_by_loan on notices (lender_id, loan_id);

-- What moves the day on which a debt becomes time-barred. `start` and `interrupt` begin the years anew, `suspend` stops them until its end.
create table limitation_events (
    lender_id   text not null,
    loan_id     text not null,
    event_id    text not null,
    kind        text not null check (kind in ('start', 'interrupt', 'suspend')),
    happened_on date not null,
    until_on    date,                                 -- of a suspension
    years       int check (years > 0),                -- of a start or an interruption
    evidence    text,
    recorded_at timestamptz not null default now(),
    version     int not null default 1,
    primary key (lender_id, loan_id, event_id),
    foreign key (lender_id, loan_id) references loans
);

alter table contact_points
    add column reassigned_checked_on date,
    drop constraint contact_points_status_check,
    add constraint contact_points_status_check check (status in ('active', 'dead', 'wrong', 'opted_out', 'reassigned'));

alter table contacts
    drop constraint contacts_channel_check,
    add constraint contacts_channel_check check (channel in ('sms', 'call', 'voice', 'visit', 'letter')),
    add column direction    text not null default 'out' check (direction in ('out', 'in')),
    add column connected    boolean not null default false,  -- somebody answered
    add column effective    boolean not null default false,  -- the right person, or listened to
    add column conversation boolean not null default false,  -- it was talked about the debt
    add column outcome      text,                            -- the code a person or a machine's call ended with
    add column cost         numeric,
    add column minutes      numeric;

-- What somebody asked for, that a person or the case must answer: never guessed at.
create table requests (
    request_id  text primary key,
    lender_id   text not null,
    loan_id     text not null,
    kind        text not null check (kind in ('callback', 'wrong_person', 'already_paid', 'dispute')),
    channel     text not null,
    asked_at    timestamptz not null,
    taken_at    timestamptz,                          -- when a person was asked to see to it
    foreign key (lender_id, loan_id) references loans
);
create index requests_open on requests (lender_id, loan_id) where taken_at is null;

alter table inbound
    add column about  text,
    add column answer text;                           -- what was said back in the same exchange

-- Calls in which a machine speaks: where each stands. The words themselves are in policies/voice.
create table voice_calls (
    contact_id text primary key references contacts,
    carrier_id text unique,
    state      jsonb not null default '{}'
);

-- What must be looked at by whoever runs this: a channel stopped because of a fault of ours, ...
create table alerts (
    alert_id   bigint generated always as identity primary key,
    kind       text not null,
    about      text not null,
    raised_at  timestamptz not null,
    cleared_at timestamptz
);
create unique index alerts_raised on alerts (kind, about) where cleared_at is null;

-- What the lender itself did while we only watched: the other side of the shadow report.
create table lender_contacts (
    lender_id text not null,
    source_id text not null,
    loan_id   text not null,
    channel   text not null,
    made_at   timestamptz not null,
    primary key (lender_id, source_id)
);
create index lender_contacts_by_loan on lender_contacts (lender_id, loan_id);

-- A stop is ordered among the contacts by the same sequence, and stays on record when it is released.
alter table stops
    drop constraint stops_pkey,
    add column stop_id        bigint generated always as identity primary key,
    add column commit_order   bigint not null default nextval('commit_order'),
    add column released_at    timestamptz,
    add column released_order bigint;
create unique index stops_pressed on stops (lender_id, channel, strategy) where released_order is null;

alter table steps
    drop constraint steps_state_check,
    add constraint steps_state_check check (state in ('open', 'done', 'attempted', 'missed', 'failed', 'postponed', 'impossible', 'forbidden', 'waived', 'withdrawn'));

-- migrate:down
