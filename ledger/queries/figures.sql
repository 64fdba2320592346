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

-- name: note_heard!
-- Money that a case has taken in since somebody last looked. The relay tells a case many messages as one, under the last one's id, and in
-- order: the first that reaches so far has it.
update outbox o set heard_at = taken.at
from (
    select m.id, (select min(e.recorded_at) from case_events e
        where e.lender_id = m.lender_id and e.loan_id = m.loan_id and e.recorded_at >= m.created_at
          and case when e.message_id ~ '^outbox-[0-9]{1,18}$' then substr(e.message_id, 8)::bigint end >= m.id) as at
    from outbox m where m.heard_at is null and m.message in ('payment_received', 'payment_reversed')
      and coalesce(m.result, '') not in ('no case', 'closed')) as taken
where o.id = taken.id and taken.at is not null and o.heard_at is null;

-- name: payment_to_quiet^
-- Real seconds from the commit of money to the moment its case had taken it in, of the last hour; what is not taken in yet counts with its
-- age. And the age of the oldest that is not, whenever it came: of money that waits, or whose case is open.
select count(heard_at) as n, coalesce(percentile_cont(0.5) within group (order by took), 0) as p50,
    coalesce(percentile_cont(0.99) within group (order by took), 0) as p99, coalesce(max(took), 0) as longest,
    (select coalesce(extract(epoch from now() - min(o.created_at)), 0)::float8 from outbox o
     where o.heard_at is null and o.message in ('payment_received', 'payment_reversed') and coalesce(o.result, '') not in ('no case', 'closed')
       and (o.delivered_at is null
            or exists (select from cases c where c.lender_id = o.lender_id and c.loan_id = o.loan_id and c.open))) as unheard
from (
    select heard_at, extract(epoch from coalesce(heard_at, now()) - created_at)::float8 as took from outbox
    where created_at > now() - interval '1 hour' and message in ('payment_received', 'payment_reversed')
      and coalesce(result, 'signalled') = 'signalled') as told;

-- name: open_tasks
-- Open tasks by kind, and those whose deadline is over.
select lender_id, kind, count(*) as n, count(*) filter (where deadline < :now::timestamptz) as late from tasks
where status in ('open', 'answered') group by 1, 2 order by 1, 2;

-- name: deadlines_missed_lately
-- Tasks that nobody answered in time, in the last real day.
select lender_id, data ->> 'task' as kind, count(*) as n from case_events
where kind = 'deadline_missed' and recorded_at > now() - interval '1 day' group by 1, 2 order by 1, 2;

-- name: carrier_errors_lately
-- What carriers refused in the last business day, by their own codes.
select lender_id, channel, error_code, count(*) as n from contacts
where error_code is not null and reserved_at > :now::timestamptz - interval '1 day' group by 1, 2, 3 order by 1, 2, 3;

-- name: feed_ages
-- Business seconds since each lender's feeds came.
select lender_id, extract(epoch from :now::timestamptz - fed_at)::float8 as payments,
    extract(epoch from :now::timestamptz - tape_at)::float8 as tape,
    extract(epoch from :now::timestamptz - balances_at)::float8 as balances
from feeds order by lender_id;

-- name: feeds_promised
-- Business seconds for which each lender's payments may be old before contact waits for them.
select lender_id, feed_hours::float8 * 3600 as seconds from lenders where feed_hours is not null order by lender_id;

-- name: stops_and_alerts^
-- How many contact stops hold, and alerts that nobody has cleared.
select (select count(*) from stops where released_order is null) as stops, (select count(*) from alerts where cleared_at is null) as alerts;
