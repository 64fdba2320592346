-- migrate:up

-- Who may speak for a lender. The secrets stand here as text, for a signature cannot be checked without them: whoever can read this
-- table can sign for every lender in it.
create table webhook_secrets (
    secret_id text primary key,
    lender_id text not null references lenders,
    kind      text not null check (kind in ('arrears', 'stripe', 'gocardless', 'gocardless_token')),
    secret    text not null check (length(secret) >= 16),
    since     timestamptz not null default now(),     -- real time
    until     timestamptz
);
create index webhook_secrets_of_lender on webhook_secrets (lender_id, kind);

-- migrate:down
