-- migrate:up

-- What lenders hand over. Every table carries lender_id: loan ids are unique only within their lender.

create table lenders (
    lender_id   text primary key,
    name        text not null,
    timezone    text not null default 'UTC',          -- decides the business date
    mode        text not null default 'shadow' check (mode in ('shadow', 'live')),
    strategy    text,                                 -- the strategy of a new case: its name; null takes the shipped default
    packs       jsonb not null default '{}',          -- rulebooks by country; "*" is for all
    tolerance   numeric not null default 0,           -- per instalment
    materiality numeric not null default 0            -- per loan
);
-- The shipped lender: the house rules everywhere.
insert into lenders (lender_id, name, packs) values ('default', 'the lender', '{"*": ["house"]}');

create table parties (
    lender_id  text not null references lenders,
    party_id   text not null,
    name       text not null,
    kind       text not null default 'person' check (kind in ('person', 'sole_trader', 'business')),
    language   text not null default 'en',
    version    int  not null default 1,
    primary key (lender_id, party_id)
);

create table loans (
    lender_id       text not null references lenders,
    loan_id         text not null,
    borrower_id     text not null,
    country         text not null,
    currency        text not null,
    opened_on       date not null,
    product         text not null,
    portfolio_id    text,
    purpose         text not null default 'consumer' check (purpose in ('consumer', 'business')),
    creditor_role   text not null default 'original' check (creditor_role in ('original', 'servicer', 'agency', 'buyer')),
    governing_law   text,
    annual_rate     numeric,
    penalty_rate    numeric,
    secured         boolean,
    collateral_ref  text,
    limitation_on   date,
    charged_off_on  date,
    strategy        text,                             -- asked for at intake; null takes the lender's
    version         int not null default 1,           -- of the tape's row
    ledger_version  bigint not null default 0,        -- of its entries: one more with each entry posted
    primary key (lender_id, loan_id),
    foreign key (lender_id, borrower_id) references parties
);
create index loans_by_borrower on loans (lender_id, borrower_id);

create table loan_parties (
    lender_id   text not null,
    loan_id     text not null,
    party_id    text not null,
    role        text not null,
    liable      boolean not null default true,
    may_discuss boolean not null default true,
    since       date,
    until       date,
    version     int not null default 1,
    primary key (lender_id, loan_id, party_id, role),
    foreign key (lender_id, loan_id) references loans,
    foreign key (lender_id, party_id) references parties
);

create table contact_points (
    lender_id   text not null,
    party_id    text not null,
    kind        text not null check (kind in ('mobile', 'landline', 'email', 'address')),
    value       text not null,
    country     text,
    region      text,
    postcode    text,
    timezone    text,
    source      text not null default 'tape',
    verified_on date,
    status      text not null default 'active' check (status in ('active', 'dead', 'wrong', 'opted_out')),
    version     int not null default 1,
    primary key (lender_id, party_id, kind, value),
    foreign key (lender_id, party_id) references parties
);
create index contact_points_by_value on contact_points (value);

create table consents (
    lender_id     text not null,
    party_id      text not null,
    contact_value text not null,
    scope         text not null check (scope in ('voice_auto', 'sms', 'email', 'hours', 'frequency', 'third_party', 'recording')),
    given_on      date not null,
    expires_on    date,
    revoked_on    date,
    evidence      text,
    version       int not null default 1,
    primary key (lender_id, party_id, contact_value, scope, given_on),
    foreign key (lender_id, party_id) references parties
);

create table instalments (
    lender_id text not null,
    loan_id   text not null,
    number    int  not null,
    due_on    date not null,
    principal numeric not null,
    interest  numeric not null,
    fee       numeric not null,
    version   int not null default 1,
    primary key (lender_id, loan_id, number),
    foreign key (lender_id, loan_id) references loans
);
create index instalments_by_due on instalments (due_on, lender_id, loan_id);

-- A changed row is never lost: what stood before stands here.
create table tape_history (
    lender_id   text not null,
    kind        text not null,                        -- the table
    key         text not null,
    version     int  not null,
    row         jsonb not null,
    replaced_at timestamptz not null default now(),
    primary key (lender_id, kind, key, version)
);

-- migrate:down
