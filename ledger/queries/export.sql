-- The whole file of a case, table by table, each in an order that does not change.

-- name: loan^
-- The loan.
select * from loans where lender_id = :lender_id and loan_id = :loan_id;

-- name: lender^
-- Its lender, as its settings are.
select * from lenders where lender_id = :lender_id;

-- name: parties
-- The people of the loan with their roles; the borrower first.
select p.party_id, p.name, p.kind, p.language, x.role, x.liable, x.may_discuss, x.since, x.until
from (
    select lender_id, borrower_id as party_id, 'borrower' as role, true as liable, true as may_discuss, null::date as since, null::date as until, 0 as turn
    from loans where lender_id = :lender_id and loan_id = :loan_id
    union all
    select lender_id, party_id, role, liable, may_discuss, since, until, 1 from loan_parties where lender_id = :lender_id and loan_id = :loan_id
) x join parties p using (lender_id, party_id) order by x.turn, p.party_id, x.role;

-- name: contact_points
-- Their numbers and addresses.
select * from contact_points where lender_id = :lender_id and party_id = any(:parties::text[]) order by party_id, kind, value;

-- name: consents
-- What they agreed to.
select * from consents where lender_id = :lender_id and party_id = any(:parties::text[]) order by party_id, contact_value, scope, given_on;

-- name: suppressions
-- Numbers and addresses of theirs that asked to be left alone.
select * from suppressions where lender_id = :lender_id and value = any(:values::text[]) order by channel, value;

-- name: suppressions_lifted
-- Opt-outs of some numbers that were taken back.
select * from suppressions_lifted where lender_id = :lender_id and value = any(:values::text[]) order by 1, 2, 3, 4;

-- name: inbound
-- Texts that came from their numbers.
select * from inbound where sender = any(:values::text[]) order by received_at, carrier_id;

-- name: instalments
-- The schedule.
select * from instalments where lender_id = :lender_id and loan_id = :loan_id order by number;

-- name: entries
-- The money, in the order of its commits; what was pending stands again where it moved on.
select * from ledger_lines where lender_id = :lender_id and loan_id = :loan_id order by ledger_version;

-- name: case^
-- The case, with the strategy that it pins.
select c.*, s.digest as strategy_digest, s.content as strategy_content from cases c
join strategies s on s.name = c.strategy and s.version = c.strategy_version
where c.lender_id = :lender_id and c.loan_id = :loan_id;

-- name: steps
-- What became of its steps.
select * from steps where lender_id = :lender_id and loan_id = :loan_id order by episode, step_id, ordinal;

-- name: contacts
-- Contacts with their permits, as the audit log writes rows.
select to_jsonb(c) as line from contacts c where lender_id = :lender_id and loan_id = :loan_id order by reserved_at, contact_id;

-- name: tasks
-- Tasks with their permits, as the audit log writes rows.
select to_jsonb(t) as line from tasks t where lender_id = :lender_id and loan_id = :loan_id order by opened_at, task_id;

-- name: events
-- The journal, as the audit log writes rows.
select to_jsonb(e) as line from case_events e where lender_id = :lender_id and loan_id = :loan_id order by id;

-- name: effects
-- What touched the world.
select * from effects where lender_id = :lender_id and loan_id = :loan_id order by effect_id;

-- name: holds
-- Holds on the loan, its people, and their numbers and addresses.
select * from holds where lender_id = :lender_id and (
    (subject_kind = 'loan' and subject_id = :loan_id)
    or (subject_kind = 'person' and subject_id = any(:parties::text[]))
    or (subject_kind = 'contact_point' and subject_id = any(:values::text[]))) order by from_at, hold_id;

-- name: promises
-- Promises.
select * from promises where lender_id = :lender_id and loan_id = :loan_id order by captured_at, promise_id;

-- name: plans
-- Plans.
select * from plans where lender_id = :lender_id and loan_id = :loan_id order by agreed_at, plan_id;

-- name: notices
-- Notices served.
select * from notices where lender_id = :lender_id and loan_id = :loan_id order by served_on, notice_id;

-- name: limitation_events
-- What moves the day on which the debt becomes time-barred.
select * from limitation_events where lender_id = :lender_id and loan_id = :loan_id order by happened_on, event_id;

-- name: requests
-- What somebody asked for.
select * from requests where lender_id = :lender_id and loan_id = :loan_id order by asked_at, request_id;

-- name: lender_contacts
-- What the lender itself did.
select * from lender_contacts where lender_id = :lender_id and loan_id = :loan_id order by made_at, source_id;

-- name: rulebooks
-- The rulebooks by their digests.
select digest, name, content from rulebooks where digest = any(:digests::text[]) order by name, digest;

-- name: letters
-- The letters, as they went out.
select l.contact_id, l.pdf, l.digest from letters l join contacts c using (contact_id)
where c.lender_id = :lender_id and c.loan_id = :loan_id and l.pdf is not null order by l.contact_id;

-- name: audit
-- The chain of the loan, with what is not erased of its contents.
select a.seq, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, a.kind, a.subject,
    encode(a.content_hash, 'hex') as content_hash, encode(a.previous, 'hex') as previous, encode(a.hash, 'hex') as hash,
    c.salt::text as salt, c.content, c.erased_at
from audit a left join audit_content c using (lender_id, loan_id, seq)
where a.lender_id = :lender_id and a.loan_id = :loan_id order by a.seq;

-- name: audit_head^
-- Where it ends.
select seq, encode(hash, 'hex') as hash from audit_heads where lender_id = :lender_id and loan_id = :loan_id;

-- name: last_day$
-- The last business time on record: figures are given as of that day, so that the same ledger gives the same file on any day.
select greatest(
    (select max(at) from case_events where lender_id = :lender_id and loan_id = :loan_id),
    (select max(greatest(reserved_at, sending_at, settled_at)) from contacts where lender_id = :lender_id and loan_id = :loan_id),
    (select max(greatest(opened_at, ended_at)) from tasks where lender_id = :lender_id and loan_id = :loan_id),
    (select max(value_date) from entries where lender_id = :lender_id and loan_id = :loan_id)::timestamptz);
