-- migrate:up

-- What became of money that was pending: once, and for good. The entry itself stays as it came; a change is a ledger version of its own.
create table entry_status_changes (
    lender_id      text not null,
    entry_id       text not null,
    loan_id        text not null,
    status         text not null check (status in ('settled', 'returned')),
    ledger_version bigint not null,
    commit_order   bigint not null default nextval('commit_order'),
    posted_at      timestamptz not null default now(),
    primary key (lender_id, entry_id),
    unique (lender_id, loan_id, ledger_version),
    foreign key (lender_id, entry_id) references entries
);

create index entries_pending on entries (lender_id, loan_id) where status = 'pending';

-- The ledger as a position reads it: an entry as it came, and again with the status that it moved on to. Only settled lines count, so
-- none counts twice, and the lines up to a version say what was known then.
create view ledger_lines as
select lender_id, loan_id, entry_id, kind, amount, currency, value_date, reverses, status, component, instalment, direction, reason,
    source, payer, ledger_version, commit_order, posted_at
from entries
union all
select e.lender_id, e.loan_id, e.entry_id, e.kind, e.amount, e.currency, e.value_date, e.reverses, c.status, e.component, e.instalment,
    e.direction, e.reason, e.source, e.payer, c.ledger_version, c.commit_order, c.posted_at
from entry_status_changes c join entries e using (lender_id, entry_id);

-- What it moved on to while its loan was still unknown.
alter table suspense add column status text check (status in ('settled', 'returned'));

-- Money that somebody knew the loan of. Its sender goes on naming the other loan, and must hear that the entry is known.
create table suspense_matches (
    lender_id  text not null,
    entry_id   text not null,
    sent_for   text not null,                         -- the loan id that the sender gave
    loan_id    text not null,
    matched_by text not null,
    matched_at timestamptz not null,                  -- business time
    primary key (lender_id, entry_id),
    foreign key (lender_id, loan_id) references loans
);

-- migrate:down
