-- What `arrears verify` reads. Every statement is streamed through a cursor; what a check groups by, its rows are sorted by.
-- Parts of permits come as text, for most are the same in thousands of rows.

-- name: collect_contacts
-- Every contact made to collect, or to remind of what falls due, with what its permit saw and where it stands in the order of commits.
select lender_id, loan_id, contact_id, channel, purpose, ledger_version, commit_order, business_date
from contacts
where (purpose in ('collect', 'reminder') or (purpose = 'statutory' and channel = 'letter')) and direction = 'out'
  and commit_order is not null and state in ('sending', 'sent', 'unknown', 'failed')
order by lender_id, loan_id, commit_order;

-- name: recovered_contacts
-- Contacts to collect that were written back after a restore, with the entries that their cases had heard of before.
select lender_id, loan_id, contact_id, channel, purpose, coalesce(ledger_version, 0) as ledger_version, business_date,
    array(select jsonb_array_elements_text(recovered -> 'heard')) as heard
from contacts
where (purpose in ('collect', 'reminder') or (purpose = 'statutory' and channel = 'letter')) and direction = 'out'
  and recovered is not null and commit_order is null and state in ('sending', 'sent', 'unknown', 'failed')
order by lender_id, loan_id;

-- name: entries_of_loans
-- All entries of some loans, with their place in the order of commits.
select e.lender_id, e.loan_id, e.entry_id, e.kind, e.amount, e.value_date, e.reverses, e.status, e.reason,
    e.ledger_version as version, e.component, e.instalment, e.direction, e.commit_order
from unnest($1::text[], $2::text[]) as l (lender_id, loan_id) join ledger_lines e using (lender_id, loan_id)
order by e.lender_id, e.loan_id, e.ledger_version;

-- name: instalments_of_loans
-- The schedules of some loans.
select i.lender_id, i.loan_id, i.number, i.due_on, i.principal, i.interest, i.fee
from unnest($1::text[], $2::text[]) as l (lender_id, loan_id) join instalments i using (lender_id, loan_id);

-- name: earlier_instalments_of_loans
-- What instalments of some loans were before the tape changed them, newest first; `commit_order` is that of the change.
select h.lender_id, h.row ->> 'loan_id' as loan_id, (h.row ->> 'number')::int as number, (h.row ->> 'due_on')::date as due_on,
    (h.row ->> 'principal')::numeric as principal, (h.row ->> 'interest')::numeric as interest, (h.row ->> 'fee')::numeric as fee,
    h.commit_order
from unnest($1::text[], $2::text[]) as l (lender_id, loan_id)
join tape_history h on h.lender_id = l.lender_id and h.kind = 'instalments' and h.key like replace(replace(replace(
    concat_ws('/', l.lender_id, l.loan_id), '\', '\\'), '%', '\%'), '_', '\_') || '/%'
where h.row ->> 'loan_id' = l.loan_id
order by h.version desc;

-- name: contact_count$
-- How many contacts may have reached somebody.
select count(*) from contacts where direction = 'out' and state in ('sending', 'sent', 'unknown', 'failed');

-- name: shared_keys
-- Steps whose one attempt is on record as several contacts.
select lender_id, loan_id, string_agg(contact_id, ' ' order by contact_id) as id, count(*) as n from contacts
where state in ('sending', 'sent', 'unknown', 'failed')
group by lender_id, loan_id, episode, step_id, ordinal having count(*) > 1;

-- name: shared_carrier_ids
-- Carrier messages and calls claimed by several contacts.
select min(c.lender_id) as lender_id, min(c.loan_id) as loan_id, string_agg(c.contact_id, ' ' order by c.contact_id) as id, count(*) as n
from (
    select lender_id, loan_id, contact_id, carrier_id from contacts where carrier_id is not null
    union
    select c.lender_id, c.loan_id, v.contact_id, v.carrier_id from voice_calls v join contacts c using (contact_id)
    where v.carrier_id is not null
) c group by c.carrier_id having count(*) > 1;

-- name: several_messages
-- Contacts for which the carrier named more than one message or call: on the contact and its call, or in a receipt for another one.
select c.lender_id, c.loan_id, c.contact_id as id, c.carrier_id as one, v.carrier_id as other
from contacts c join voice_calls v using (contact_id) where v.carrier_id <> c.carrier_id
union all
select c.lender_id, c.loan_id, c.contact_id, c.carrier_id, split_part(a.about, ' ', 2)
from alerts a join contacts c on c.contact_id = split_part(a.about, ' ', 1) where a.kind = 'second_message';

-- name: without_message
-- Texts and calls by machine on record as made that name no message or call of the carrier's.
select c.lender_id, c.loan_id, c.contact_id as id, c.channel from contacts c
where c.channel in ('sms', 'voice') and c.direction = 'out' and c.state = 'sent' and c.carrier_id is null
  and not exists (select from voice_calls v where v.contact_id = c.contact_id and v.carrier_id is not null);

-- name: carrier_contradicts
-- Contacts that were never made, or that the carrier refused, of which it reports all the same that they went out.
select lender_id, loan_id, contact_id as id, state, carrier_status from contacts
where (state in ('reserved', 'cancelled', 'forbidden', 'shadow') and (carrier_id is not null or carrier_status is not null))
   or (state = 'failed' and carrier_status in ('sent', 'delivered', 'read', 'in-progress', 'completed'));

-- name: sent_contacts
-- Every contact that may have reached somebody, with its permit.
select lender_id, loan_id, contact_id, channel, purpose, state, sending_at, permit, permit is null and recovered is not null as lost
from contacts
where direction = 'out' and state in ('sending', 'sent', 'unknown', 'failed')
order by lender_id, loan_id, commit_order;

-- name: subjects
-- Contacts as they count for each person, loan, borrower, or number and address, whichever is asked for, one after the other.
select s.* from (
    select lender_id, loan_id, borrower_id, contact_id, party_id, contact_value, channel, c.purpose, state, direction, sending_at, commit_order,
        connected, effective, conversation, (permit -> 'rulebooks')::text as rulebooks, (permit #> '{facts,zones}')::text as zones,
        (permit #> '{facts,consents}')::text as consents, (permit #> '{facts,past}')::text as past,
        case $1::text when 'person' then party_id when 'loan' then loan_id when 'borrower' then borrower_id else contact_value end as subject
    from contacts c join loans using (lender_id, loan_id) where state in ('sending', 'sent', 'unknown') and sending_at is not null
) s where s.subject is not null order by s.lender_id, s.subject, s.sending_at, s.commit_order;

-- name: timed_contacts
-- Contacts with the hours that their permits saw.
select lender_id, loan_id, contact_id, channel, purpose, sending_at, (permit #>> '{facts,now}')::timestamptz as permitted_at,
    (permit -> 'rulebooks')::text as rulebooks, (permit #> '{facts,zones}')::text as zones, (permit #> '{facts,consents}')::text as consents,
    (permit #> '{facts,holidays}')::text as holidays
from contacts
where direction = 'out' and sending_at is not null and state in ('sending', 'sent', 'unknown', 'failed')
order by lender_id, loan_id, commit_order;

-- name: ignored_holds
-- Contacts by machine beside holds on the person, the loan, or the number or address, that were on record before and not ended yet, and in
-- force by their days, and that their permits did not see.
select c.lender_id, c.loan_id, c.contact_id, h.hold_id, h.reason from contacts c
cross join lateral (values ('loan', c.loan_id), ('person', c.party_id), ('contact_point', c.contact_value)) about (kind, id)
join holds h on h.lender_id = c.lender_id and h.subject_kind = about.kind and h.subject_id = about.id
cross join lateral (select (c.permit #>> '{facts,now}')::timestamptz as now) p
where c.direction = 'out' and c.channel not in ('call', 'visit') and c.state in ('sending', 'sent', 'unknown', 'failed')
  and h.commit_order < c.commit_order and (h.released_order is null or h.released_order > c.commit_order)
  and h.from_at <= p.now and coalesce(h.until_at > p.now, true)
  and not exists (
    select from jsonb_array_elements(c.permit #> '{facts,holds}') f
    where f ->> 'reason' = h.reason and coalesce(f ->> 'on', 'loan') = h.subject_kind);

-- name: ignored_opt_outs
-- Contacts by machine to numbers that had asked before, on record and not taken back yet, to be left alone on that channel.
select c.lender_id, c.loan_id, c.contact_id, c.channel from contacts c
join (
    select lender_id, channel, value, commit_order, null as lifted_order from suppressions
    union all
    select lender_id, channel, value, commit_order, lifted_order from suppressions_lifted
) s on s.lender_id = c.lender_id and s.channel = c.channel and s.value = c.contact_value
where c.direction = 'out' and c.purpose <> 'reply' and c.state in ('sending', 'sent', 'unknown', 'failed')
  and c.channel not in ('call', 'visit')
  and s.commit_order < c.commit_order and (s.lifted_order is null or s.lifted_order > c.commit_order)
  and coalesce((c.permit #>> '{facts,suppressed}')::boolean, false) = false;

-- name: ignored_stops
-- Contacts by machine that were committed while the stop button was pressed.
select c.lender_id, c.loan_id, c.contact_id, s.stop_id, s.commit_order as pressed from contacts c
join cases k using (lender_id, loan_id)
join stops s on s.lender_id in ('*', c.lender_id) and s.channel in ('*', c.channel)
  and (s.strategy = '*' or (s.strategy = k.strategy and k.episode = c.episode))
where c.direction = 'out' and c.channel not in ('call', 'visit') and c.state in ('sending', 'sent', 'unknown', 'failed')
  and s.commit_order < c.commit_order and (s.released_order is null or s.released_order > c.commit_order);

-- name: broken_versions
-- Loans whose ledger versions are not 1, 2, 3 ... up to the loan's own.
select l.lender_id, l.loan_id, l.ledger_version, count(e.entry_id) as entries, coalesce(max(e.ledger_version), 0) as newest
from loans l left join ledger_lines e using (lender_id, loan_id)
group by l.lender_id, l.loan_id
having count(e.entry_id) <> l.ledger_version or coalesce(max(e.ledger_version), 0) <> l.ledger_version;

-- name: out_of_order
-- Entries whose place in the order of commits contradicts their version.
select lender_id, loan_id, entry_id from (
    select *, lag(commit_order) over (partition by lender_id, loan_id order by ledger_version) as before from ledger_lines
) e where before >= commit_order;

-- name: posted_and_kept
-- Entry ids that are in the ledger and in suspense.
select s.lender_id, s.loan_id, s.entry_id, e.loan_id as posted_to from suspense s join entries e using (lender_id, entry_id)
order by s.lender_id, s.entry_id;

-- name: entry_count$
-- How many entries there are.
select count(*) from ledger_lines;

-- name: untold
-- Entries posted since the case was last opened of which it was never told, by name.
with told as (
    select lender_id, loan_id, payload ->> 'entry_id' as entry_id, payload ->> 'ledger_version' as version
    from outbox where payload ? 'entry_id'
    union
    select lender_id, loan_id, each ->> 'entry_id', each ->> 'ledger_version' from outbox, jsonb_array_elements(payload -> 'entries') as each
)
select e.lender_id, e.loan_id, e.entry_id from ledger_lines e
join cases c using (lender_id, loan_id)
where c.open and e.posted_at > (
    select min(v.recorded_at) from case_events v
    where v.lender_id = e.lender_id and v.loan_id = e.loan_id and v.id > coalesce((
        select max(w.id) from case_events w where w.lender_id = e.lender_id and w.loan_id = e.loan_id and w.kind = 'closed'), 0))
  and not exists (
    select from told t where t.lender_id = e.lender_id and t.loan_id = e.loan_id and t.entry_id = e.entry_id
      and t.version = e.ledger_version::text
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
where t.kind not in ('withdraw_letter', 'withdraw_suit', 'reconcile_balance') and not exists (select from effects f where f.task_id = t.task_id)
union all
select c.lender_id, c.loan_id, c.contact_id, 'letter' from contacts c
where c.channel = 'letter' and c.state = 'sent' and not exists (
    select from effects f where f.lender_id = c.lender_id and f.loan_id = c.loan_id and f.episode = c.episode
      and f.step_id = c.step_id and f.kind = 'letter');

-- name: effect_count$
-- How many effects there are.
select count(*) from effects;
