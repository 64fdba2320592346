-- name: keep_lender_contact$
-- A contact that the lender says it made; by its own id once.
insert into lender_contacts (lender_id, source_id, loan_id, channel, made_at)
values (:lender_id, :source_id, :loan_id, :channel, :made_at) on conflict do nothing returning source_id;

-- name: would_have_made
-- Contacts and tasks that were permitted and only written down.
select lender_id, loan_id, channel, settled_at as at, step_id, permit -> 'verdict' -> 'rules' as rules, body
from contacts where state = 'shadow' and (:lender_id::text is null or lender_id = :lender_id)
union all
select lender_id, loan_id, data ->> 'task', at, data ->> 'step', data -> 'permit' -> 'verdict' -> 'rules', null
from case_events where kind = 'shadowed' and data ->> 'task' in ('call', 'visit')
  and (:lender_id::text is null or lender_id = :lender_id)
order by at, loan_id, step_id;

-- name: lender_made
-- What the lender says it did; a loan that is not known has no zone here.
select m.lender_id, m.loan_id, m.channel, m.source_id, m.made_at, b.timezone
from lender_contacts m left join loans l using (lender_id, loan_id) left join lenders b on b.lender_id = l.lender_id
where (:lender_id::text is null or m.lender_id = :lender_id)
order by m.made_at, m.source_id;

-- name: refused
-- What the gate put off or forbade while nobody was contacted, by rule.
select rule, count(*) as contacts from (
    select jsonb_array_elements_text(permit -> 'verdict' -> 'rules') as rule, lender_id from contacts where state = 'forbidden'
    union all
    select jsonb_array_elements_text(data -> 'rules'), lender_id from case_events where kind in ('deferred', 'forbidden')
) r where (:lender_id::text is null or lender_id = :lender_id)
group by rule order by rule;
