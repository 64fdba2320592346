-- migrate:up

create table strategies (
    name         text not null,
    version      int  not null,
    digest       text not null,                       -- SHA-256 of the canonical content
    content      jsonb not null,
    published_at timestamptz not null default now(),
    primary key (name, version)
);

-- One row a loan that was ever collected. Written under the loan's lock before the workflow starts: it alone says whether a case exists.
create table cases (
    lender_id        text not null,
    loan_id          text not null,
    workflow_id      text not null,
    episode          int  not null default 1,
    chain_from       int  not null default 1,         -- steps of the episodes from this one on count; a bounce goes on, it does not start afresh
    relapse          text check (relapse in ('bounce', 'misposted', 'arrears')),  -- how this episode began
    strategy         text not null,
    strategy_version int  not null,
    stage            text not null default 'new',
    open             boolean not null default true,
    opened_at        timestamptz not null,            -- business time, as every *_at below that is not said to be real
    episode_at       timestamptz not null,
    cured_at         timestamptz,
    cured_version    bigint,                          -- the ledger version that cured it
    closing          text,                            -- somebody asked to close it, and why
    closed_at        timestamptz,
    collector        text,
    next_step        jsonb,
    primary key (lender_id, loan_id),
    foreign key (lender_id, loan_id) references loans,
    foreign key (strategy, strategy_version) references strategies (name, version)
);
create index cases_open on cases (lender_id, loan_id) where open;

-- The journal: everything that happened in a case, beyond Temporal's retention.
create table case_events (
    id          bigint generated always as identity primary key,
    lender_id   text not null,
    loan_id     text not null,
    episode     int  not null,
    at          timestamptz not null,
    kind        text not null,
    message_id  text,                                 -- of the message that was absorbed; each is absorbed once
    data        jsonb not null default '{}',
    recorded_at timestamptz not null default now(),   -- real time
    foreign key (lender_id, loan_id) references cases
);
create index case_events_by_loan on case_events (lender_id, loan_id, id);
create unique index case_events_message on case_events (lender_id, loan_id, message_id) where message_id is not null;

-- What became of each step of the strategy: one row an attempt at it.
create table steps (
    lender_id text not null,
    loan_id   text not null,
    episode   int  not null,
    step_id   text not null,
    ordinal   int  not null,
    state     text not null check (state in ('open', 'done', 'attempted', 'missed', 'failed', 'impossible', 'forbidden', 'waived', 'withdrawn')),
    result    text,
    began_at  timestamptz not null,
    ended_at  timestamptz,
    primary key (lender_id, loan_id, episode, step_id, ordinal),
    foreign key (lender_id, loan_id) references cases
);

create table tasks (
    task_id     text primary key,
    lender_id   text not null,
    loan_id     text not null,
    episode     int  not null,
    step_id     text not null,
    ordinal     int  not null,
    kind        text not null,                        -- call, visit, pre_legal_review, file_suit, withdraw_letter, withdraw_suit, manual_review, ...
    status      text not null default 'open' check (status in ('open', 'answered', 'done', 'missed', 'withdrawn')),
    owner       text,
    approval    text,                                 -- the role whose second pair of eyes it needs
    permit      jsonb,                                -- the gate's verdict, for a task that reaches a person
    opened_at   timestamptz not null,
    deadline    timestamptz not null,
    outcome     text,
    data        jsonb not null default '{}',
    answered_by text,
    approved_by text,
    ended_at    timestamptz,
    end_reason  text,
    unique (lender_id, loan_id, episode, step_id, ordinal),
    foreign key (lender_id, loan_id) references cases
);
create index tasks_open on tasks (lender_id, loan_id) where status in ('open', 'answered');

-- What touched the world and must be undone if the debt is cured. A row stands before the thing happens.
create table effects (
    effect_id  bigint generated always as identity primary key,
    lender_id  text not null,
    loan_id    text not null,
    episode    int  not null,
    step_id    text not null,
    ordinal    int  not null,
    kind       text not null,                         -- task, letter, suit
    state      text not null default 'open' check (state in ('open', 'with_counsel', 'ended')),
    task_id    text,
    opened_at  timestamptz not null,
    ended_at   timestamptz,
    end_reason text,
    unique (lender_id, loan_id, episode, step_id, ordinal, kind),
    foreign key (lender_id, loan_id) references cases
);

create table holds (
    hold_id      text primary key,
    lender_id    text not null,
    subject_kind text not null check (subject_kind in ('person', 'contact_point', 'loan')),
    subject_id   text not null,
    reason       text not null,
    scopes       text[] not null,
    from_at      timestamptz not null,
    until_at     timestamptz,                         -- when it ends by itself
    released_at  timestamptz,
    source       text not null
);
create index holds_by_subject on holds (lender_id, subject_kind, subject_id);

create table promises (
    promise_id       text primary key,
    lender_id        text not null,
    loan_id          text not null,
    episode          int  not null,
    amount           numeric not null,
    due_on           date not null,
    status           text not null default 'active' check (status in ('active', 'kept', 'part_kept', 'broken', 'superseded', 'withdrawn')),
    captured_at      timestamptz not null,
    captured_version bigint not null,                 -- payments of later ledger versions count towards it
    captured_by      text,
    judged_at        timestamptz,
    foreign key (lender_id, loan_id) references cases
);
create index promises_by_loan on promises (lender_id, loan_id);

create table plans (
    plan_id          text primary key,
    lender_id        text not null,
    loan_id          text not null,
    episode          int  not null,
    instalments      jsonb not null,                  -- [{"due_on", "amount"}]
    status           text not null default 'active' check (status in ('active', 'kept', 'broken', 'superseded', 'withdrawn')),
    agreed_at        timestamptz not null,
    captured_version bigint not null,
    agreed_by        text,
    approved_by      text,
    judged_at        timestamptz,
    foreign key (lender_id, loan_id) references cases
);
create index plans_by_loan on plans (lender_id, loan_id);

-- migrate:down
