-- migrate:up

-- How a lender's loans are read: the order in which money is spent (policies/waterfalls), and which interest is worked out here, none by
-- default. A loan may differ from its lender.
alter table lenders
    add column waterfall        text not null default 'default',
    add column day_count        text not null default 'act/365' check (day_count in ('act/365', 'act/360', '30/360')),
    add column daily_interest   boolean not null default false,  -- at loans.annual_rate
    add column penalty_interest boolean not null default false;  -- at loans.penalty_rate
alter table loans
    add column waterfall        text,
    add column day_count        text check (day_count in ('act/365', 'act/360', '30/360')),
    add column daily_interest   boolean,
    add column penalty_interest boolean;

-- What a borrower disputes of a loan: an instalment, a component, or that of the instalment. Never changed but to note the end.
create table disputed_parts (
    dispute_id  bigint generated always as identity primary key,
    lender_id   text not null,
    loan_id     text not null,
    instalment  int,
    component   text check (component in ('interest', 'principal', 'fee', 'late_fee', 'cost', 'other')),
    since       date not null,
    until       date check (until > since),           -- the first day on which it was no longer disputed
    source      text not null,
    reason      text not null,
    recorded_at timestamptz not null default now(),
    check (instalment is not null or component is not null),
    foreign key (lender_id, loan_id) references loans
);
create index disputed_parts_by_loan on disputed_parts (lender_id, loan_id);

-- All terms of a loan in one row, the lender's where the loan has none of its own.
create view loan_terms as
select l.lender_id, l.loan_id, b.tolerance, b.materiality,
    coalesce(l.waterfall, b.waterfall) as waterfall,
    coalesce(l.day_count, b.day_count) as day_count,
    case when coalesce(l.daily_interest, b.daily_interest) then l.annual_rate end as annual_rate,
    case when coalesce(l.penalty_interest, b.penalty_interest) then l.penalty_rate end as penalty_rate,
    l.opened_on, l.currency,
    (select jsonb_agg(jsonb_build_array(d.since, d.until, d.instalment, d.component) order by d.dispute_id)
     from disputed_parts d where d.lender_id = l.lender_id and d.loan_id = l.loan_id) as disputed
from loans l join lenders b using (lender_id);

-- migrate:down
