-- migrate:up

-- The order of commits under a loan's lock. Postings and permits both draw from it, so that
-- `arrears verify` can tell which came first without reading a clock.
create sequence commit_order;

create table entries (
    lender_id      text not null,
    entry_id       text not null,
    loan_id        text not null,
    kind           text not null,
    amount         numeric not null,
    currency       text not null,
    value_date     date not null,
    reverses       text,
    status         text not null default 'settled' check (status in ('pending', 'settled', 'returned')),
    component      text,
    instalment     int,
    direction      text,
    reason         text,
    source         text,
    payer          text,
    ledger_version bigint not null,
    commit_order   bigint not null default nextval('commit_order'),
    posted_at      timestamptz not null default now(),
    primary key (lender_id, entry_id),
    unique (lender_id, loan_id, ledger_version),
    foreign key (lender_id, loan_id) references loans
);
create index entries_by_loan on entries (lender_id, loan_id, value_date);

-- Money that names no loan we know. Nothing is lost: it is acknowledged, kept, and matched later.
create table suspense (
    lender_id text not null,
    entry_id  text not null,
    loan_id   text not null,
    entry     jsonb not null,
    posted_at timestamptz not null default now(),
    primary key (lender_id, entry_id)
);

create table outbox (
    id           bigint generated always as identity primary key,
    lender_id    text not null,
    loan_id      text not null,
    message      text not null,                       -- the signal's name
    payload      jsonb not null,
    created_at   timestamptz not null default now(),
    delivered_at timestamptz,
    result       text                                 -- how it ended: signalled, no case, closed
);
create index outbox_waiting on outbox (lender_id, loan_id, id) where delivered_at is null;

create function outbox_notify() returns trigger language plpgsql as $$
begin
    perform pg_notify('outbox', '');
    return null;
end $$;
create trigger outbox_notify after insert on outbox for each statement execute function outbox_notify();

-- migrate:down
