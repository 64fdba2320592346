-- name: portfolio
-- Every loan that ever had a case.
select c.lender_id, c.loan_id, c.open, c.stage, c.opened_at, c.closed_at, c.episode, b.timezone, l.currency,
    (select min(k.sending_at) from contacts k where k.lender_id = c.lender_id and k.loan_id = c.loan_id and k.sending_at is not null) as first_contact,
    (select min(p.agreed_at) from plans p where p.lender_id = c.lender_id and p.loan_id = c.loan_id) as planned_at
from cases c join loans l using (lender_id, loan_id) join lenders b using (lender_id)
order by c.lender_id, c.loan_id;

-- name: stages_reached
-- The furthest stage of each case's strategy in which something was done.
select c.lender_id, c.loan_id, array_agg(distinct s.step_id) as step_ids, st.content from cases c
join strategies st on st.name = c.strategy and st.version = c.strategy_version
left join steps s using (lender_id, loan_id)
group by c.lender_id, c.loan_id, st.content;

-- name: contacts_by_channel
-- Contacts made, by channel, purpose and state.
select channel, purpose, state, count(*) as contacts from contacts
where state not in ('reserved', 'cancelled') group by channel, purpose, state order by 1, 2, 3;

-- name: tasks_by_kind
-- Tasks, by kind and state.
select kind, status, count(*) as tasks from tasks group by kind, status order by 1, 2;

-- name: recovered_after_write_off
-- What was paid on and after the day on which a loan was written off, less what went back of it, by currency.
select p.currency, sum(p.amount - r.back) as amount
from (
    select w.lender_id, w.loan_id, min(w.value_date) as day from ledger_lines w
    where w.kind = 'write_off' and w.status = 'settled' and not exists (
        select from ledger_lines r where r.lender_id = w.lender_id and r.loan_id = w.loan_id and r.kind = 'reversal'
          and r.reverses = w.entry_id and r.status = 'settled')
    group by w.lender_id, w.loan_id
) w
join lenders b using (lender_id)
join ledger_lines p on p.lender_id = w.lender_id and p.loan_id = w.loan_id and p.kind = 'payment' and p.status = 'settled'
    and p.value_date between w.day and (:now::timestamptz at time zone b.timezone)::date
cross join lateral (
    select coalesce(sum(r.amount), 0) as back from ledger_lines r
    where r.lender_id = p.lender_id and r.loan_id = p.loan_id and r.kind = 'reversal' and r.reverses = p.entry_id and r.status = 'settled'
) r
group by p.currency having sum(p.amount - r.back) > 0 order by p.currency;

-- name: recovered_after_close
-- What was paid after the day on which somebody closed a loan's case, less what went back of it, by currency.
select p.currency, sum(p.amount - r.back) as amount
from cases c
join lenders b using (lender_id)
join ledger_lines p on p.lender_id = c.lender_id and p.loan_id = c.loan_id and p.kind = 'payment' and p.status = 'settled'
    and p.value_date > (c.closed_at at time zone b.timezone)::date and p.value_date <= (:now::timestamptz at time zone b.timezone)::date
cross join lateral (
    select coalesce(sum(r.amount), 0) as back from ledger_lines r
    where r.lender_id = p.lender_id and r.loan_id = p.loan_id and r.kind = 'reversal' and r.reverses = p.entry_id and r.status = 'settled'
) r
where not c.open and c.closing is not null
group by p.currency having sum(p.amount - r.back) > 0 order by p.currency;

-- name: in_suspense
-- Payments that wait for their loan, by currency.
select entry ->> 'currency' as currency, sum((entry ->> 'amount')::numeric) as amount from suspense
where entry ->> 'kind' = 'payment' group by 1 order by 1;

-- name: without_who_or_why
-- Waivers, adjustments and write-offs that say not who gave them, or not why.
select kind, count(*) as entries from entries
where kind in ('waiver', 'adjustment', 'write_off') and (source is null or reason is null) group by kind order by kind;
