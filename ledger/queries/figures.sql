-- What watchers ask again and again: each statement reads an index, or a table that stays small.

-- name: open_cases
-- Open cases by lender and stage.
select lender_id, stage, count(*) as n from cases where open group by lender_id, stage order by 1, 2;

-- name: contacts_lately
-- What became of the contacts of the last business day.
select lender_id, channel, purpose, state, count(*) as n from contacts
where reserved_at > :now::timestamptz - interval '1 day' group by 1, 2, 3, 4 order by 1, 2, 3, 4;

-- name: refusals_lately
-- Rules that put off or forbade something in the last real day, and how often.
select rule, kind, count(*) as n from (
    select kind, jsonb_array_elements_text(data -> 'rules') as rule from case_events
    where kind in ('deferred', 'forbidden') and recorded_at > now() - interval '1 day'
    union all
    select 'forbidden', jsonb_array_elements_text(permit -> 'verdict' -> 'rules') from contacts
    where state = 'forbidden' and reserved_at > :now::timestamptz - interval '1 day') as refused
group by rule, kind order by rule, kind;

-- name: payment_to_quiet^
-- Real seconds from the commit of money to the moment its case had taken it in: of the last hour.
select count(*) as n, coalesce(percentile_cont(0.5) within group (order by took), 0) as p50,
    coalesce(percentile_cont(0.99) within group (order by took), 0) as p99, coalesce(max(took), 0) as longest
from (
    select extract(epoch from e.recorded_at - o.created_at)::float8 as took from outbox o
    join case_events e on e.lender_id = o.lender_id and e.loan_id = o.loan_id and e.message_id = 'outbox-' || o.id
    where o.created_at > now() - interval '1 hour' and o.message in ('payment_received', 'payment_reversed')) as heard;

-- name: open_tasks
-- Open tasks by kind, and those whose deadline is over.
select lender_id, kind, count(*) as n, count(*) filter (where deadline < :now::timestamptz) as late from tasks
where status in ('open', 'answered') group by 1, 2 order by 1, 2;

-- name: feed_ages
-- Business seconds since each lender's feeds came.
select lender_id, extract(epoch from :now::timestamptz - fed_at)::float8 as payments,
    extract(epoch from :now::timestamptz - tape_at)::float8 as tape,
    extract(epoch from :now::timestamptz - balances_at)::float8 as balances
from feeds order by lender_id;

-- name: stops_and_alerts^
-- How many contact stops hold, and alerts that nobody has cleared.
select (select count(*) from stops) as stops, (select count(*) from alerts where cleared_at is null) as alerts;
