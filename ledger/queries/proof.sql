-- name: collect_contacts
-- Every contact made to collect, with what its permit saw and where it stands in the order of commits.
select c.lender_id, c.loan_id, c.contact_id, c.ledger_version, c.commit_order, c.business_date,
    (select coalesce(max(e.ledger_version), 0) from entries e
     where e.lender_id = c.lender_id and e.loan_id = c.loan_id and e.commit_order < c.commit_order) as newest_version
from contacts c
where c.purpose = 'collect' and c.commit_order is not null and c.state in ('sending', 'sent', 'unknown', 'failed')
order by c.lender_id, c.loan_id, c.commit_order;

-- name: sent_contacts
-- Every contact that may have reached somebody, with its permit.
select lender_id, loan_id, contact_id, channel, state, permit, carrier_id from contacts
where state in ('sending', 'sent', 'unknown', 'failed') order by lender_id, loan_id, reserved_at;

-- name: shared_keys
-- Steps whose one attempt is on record as several contacts.
select lender_id, loan_id, string_agg(contact_id, ' ') as id, count(*) as n from contacts
where state in ('sending', 'sent', 'unknown', 'failed')
group by lender_id, loan_id, episode, step_id, ordinal having count(*) > 1;

-- name: shared_carrier_ids
-- Carrier messages claimed by several contacts.
select min(lender_id) as lender_id, min(loan_id) as loan_id, carrier_id as id, count(*) as n from contacts
where carrier_id is not null group by carrier_id having count(*) > 1;

-- name: texts_without_message
-- Texts on record as sent that name no carrier message.
select lender_id, loan_id, contact_id as id from contacts where channel = 'sms' and state = 'sent' and carrier_id is null;

-- name: broken_versions
-- Loans whose ledger versions are not 1, 2, 3 ... up to the loan's own.
select l.lender_id, l.loan_id, l.ledger_version, count(e.*) as entries, coalesce(max(e.ledger_version), 0) as newest
from loans l left join entries e using (lender_id, loan_id)
group by l.lender_id, l.loan_id
having count(e.*) <> l.ledger_version or coalesce(max(e.ledger_version), 0) <> l.ledger_version;

-- name: out_of_order
-- Entries whose place in the order of commits contradicts their version.
select lender_id, loan_id, entry_id from (
    select *, lag(commit_order) over (partition by lender_id, loan_id order by ledger_version) as before from entries
) e where before >= commit_order;

-- name: entry_count$
-- How many entries there are.
select count(*) from entries;

-- name: untold
-- Entries posted since the case was last opened of which it was never told, by name.
with told as (
    select lender_id, loan_id, payload ->> 'entry_id' as entry_id from outbox where payload ? 'entry_id'
    union
    select lender_id, loan_id, each ->> 'entry_id' from outbox, jsonb_array_elements(payload -> 'entries') as each
)
select e.lender_id, e.loan_id, e.entry_id from entries e
join cases c using (lender_id, loan_id)
where c.open and e.posted_at > (
    select min(v.recorded_at) from case_events v
    where v.lender_id = e.lender_id and v.loan_id = e.loan_id and v.id > coalesce((
        select max(w.id) from case_events w where w.lender_id = e.lender_id and w.loan_id = e.loan_id and w.kind = 'closed'), 0))
  and not exists (
    select from told t where t.lender_id = e.lender_id and t.loan_id = e.loan_id and t.entry_id = e.entry_id
  );

-- name: standing_after_cure
-- Effects still open in cases that say their cure is done with.
select f.lender_id, f.loan_id, f.effect_id, f.kind, f.step_id, c.stage from effects f
join cases c using (lender_id, loan_id)
where f.state = 'open' and c.stage in ('probation', 'closed') and not exists (
    select from tasks t where t.task_id = f.task_id and t.kind = 'remedy')
  and (c.next_step is null or c.next_step ->> 'what' not like 'withdraw%');

-- name: effectless
-- Tasks and letters that touched the world without an open effect on record.
select t.lender_id, t.loan_id, t.task_id as id, 'task' as kind from tasks t
where t.kind not in ('withdraw_letter', 'withdraw_suit') and not exists (select from effects f where f.task_id = t.task_id)
union all
select c.lender_id, c.loan_id, c.contact_id, 'letter' from contacts c
where c.channel = 'letter' and c.state = 'sent' and not exists (
    select from effects f where f.lender_id = c.lender_id and f.loan_id = c.loan_id and f.episode = c.episode
      and f.step_id = c.step_id and f.kind = 'letter');

-- name: effect_count$
-- How many effects there are.
select count(*) from effects;
