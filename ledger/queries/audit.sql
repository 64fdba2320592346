-- name: links
-- Every link of every chain with its content, and where its chain should end; loan by loan, in order.
select a.lender_id, a.loan_id, a.seq, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, a.kind, a.subject,
    encode(a.content_hash, 'hex') as content_hash, encode(a.previous, 'hex') as previous, encode(a.hash, 'hex') as hash,
    c.salt::text as salt, c.content, c.erased_at is not null as erased, h.seq as head_seq, encode(h.hash, 'hex') as head_hash
from audit a
left join audit_content c using (lender_id, loan_id, seq)
left join audit_heads h using (lender_id, loan_id)
order by a.lender_id, a.loan_id, a.seq;

-- name: heads_without_links
-- Chains of which nothing is left but where they should end.
select lender_id, loan_id, seq from audit_heads h
where not exists (select from audit a where a.lender_id = h.lender_id and a.loan_id = h.loan_id) order by lender_id, loan_id;

-- name: unlike_contacts
-- Contacts that stand otherwise than the log saw them last, with the names of what differs; null names where it never saw them.
select r.lender_id, r.loan_id, r.contact_id as id, last.seq, differs.names
from contacts r
cross join lateral (select audit_image(to_jsonb(r)) as image offset 0) now -- offset 0: computed once, not for each key
left join lateral (
    select a.seq, c.content from audit a left join audit_content c using (lender_id, loan_id, seq)
    where a.lender_id = r.lender_id and a.loan_id = r.loan_id and a.kind = 'contact' and a.subject = r.contact_id
    order by a.seq desc limit 1
) last on true
left join lateral (
    select array_agg(e.key order by e.key) as names from jsonb_each(last.content::jsonb) e
    where e.key <> 'permit' and now.image -> e.key is distinct from e.value
) differs on true
where last.seq is null or differs.names is not null;

-- name: unlike_tasks
-- As `unlike_contacts`, for tasks.
select r.lender_id, r.loan_id, r.task_id as id, last.seq, differs.names
from tasks r
cross join lateral (select audit_image(to_jsonb(r)) as image offset 0) now -- offset 0: computed once, not for each key
left join lateral (
    select a.seq, c.content from audit a left join audit_content c using (lender_id, loan_id, seq)
    where a.lender_id = r.lender_id and a.loan_id = r.loan_id and a.kind = 'task' and a.subject = r.task_id
    order by a.seq desc limit 1
) last on true
left join lateral (
    select array_agg(e.key order by e.key) as names from jsonb_each(last.content::jsonb) e
    where e.key <> 'permit' and now.image -> e.key is distinct from e.value
) differs on true
where last.seq is null or differs.names is not null;

-- name: unlike_events
-- As `unlike_contacts`, for the journal; each of its lines is written once.
select r.lender_id, r.loan_id, r.id, last.seq, differs.names
from case_events r
cross join lateral (select to_jsonb(r) as image offset 0) now
left join lateral (
    select a.seq, c.content from audit a left join audit_content c using (lender_id, loan_id, seq)
    where a.lender_id = r.lender_id and a.loan_id = r.loan_id and a.kind = 'event' and a.subject = r.id::text
    order by a.seq desc limit 1
) last on true
left join lateral (
    select array_agg(e.key order by e.key) as names from jsonb_each(last.content::jsonb) e
    where now.image -> e.key is distinct from e.value
) differs on true
where last.seq is null or differs.names is not null;

-- name: vanished
-- What the log saw and is no more.
select distinct a.lender_id, a.loan_id, a.kind, a.subject as id from audit a
where (a.kind = 'contact' and not exists (select from contacts r where r.contact_id = a.subject))
   or (a.kind = 'task' and not exists (select from tasks r where r.task_id = a.subject))
   or (a.kind = 'event' and not exists (select from case_events r where r.id = a.subject::bigint))
order by 1, 2, 3, 4;

-- name: link_count$
-- How long all chains are together.
select count(*) from audit;
