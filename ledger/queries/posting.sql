-- name: lock_for_posting^
-- The borrower, then the loan (that to which somebody matched the entry, where it names another), then the entry's id: what is read in the
-- next statement stays so. The id is locked even where no loan is known, for the same one may come for a known loan at once.
with named as materialized (
    select coalesce((
        select m.loan_id from suspense_matches m where m.lender_id = :lender_id and m.entry_id = :entry_id and m.sent_for = :loan_id
    ), :loan_id) as loan_id
), person as materialized (
    select p.party_id from parties p
    where (p.lender_id, p.party_id) = (
        select l.lender_id, l.borrower_id from loans l where l.lender_id = :lender_id and l.loan_id = (select loan_id from named)
    ) for no key update
), loan as materialized (
    select loan_id from loans
    where lender_id = :lender_id and loan_id = (select loan_id from named) and exists (select from person) for no key update
)
select n.loan_id, l.loan_id is not null as known, pg_advisory_xact_lock(hashtextextended(:entry_id, hashtext(:lender_id)))
from named n left join loan l using (loan_id);

-- name: lock_entry!
-- The entry's id, where the loan is locked already.
select pg_advisory_xact_lock(hashtextextended(:entry_id, hashtext(:lender_id)));

-- name: known_entry^
-- One entry by its sender's id, and what became of it if it was pending.
select e.lender_id, e.entry_id, e.loan_id, e.kind, e.amount, e.currency, e.value_date, e.reverses, e.status, e.component, e.instalment,
    e.direction, e.reason, e.source, e.payer, e.ledger_version, c.status as moved_to, c.ledger_version as moved_version
from entries e left join entry_status_changes c using (lender_id, entry_id)
where e.lender_id = :lender_id and e.entry_id = :entry_id;

-- name: lock_group
-- Of entries for different loans those that can be had at once: their borrowers, loans and ids are locked as `lock_for_posting` locks one's,
-- and nothing is waited for. An entry that somebody matched to another loan is none of these, nor is one whose loan is unknown.
with given as materialized (
    select g.* from unnest(:lender_ids::text[], :loan_ids::text[], :entry_ids::text[]) as g (lender_id, loan_id, entry_id)
    where not exists (select from suspense_matches m where m.lender_id = g.lender_id and m.entry_id = g.entry_id and m.sent_for = g.loan_id)
), person as materialized (
    select p.lender_id, p.party_id from parties p where (p.lender_id, p.party_id) in (
        select l.lender_id, l.borrower_id from loans l join given g using (lender_id, loan_id)
    ) for no key update skip locked
), loan as materialized (
    select l.lender_id, l.loan_id from loans l join given g using (lender_id, loan_id)
    where (l.lender_id, l.borrower_id) in (select lender_id, party_id from person) for no key update of l skip locked
)
select lender_id, g.entry_id from given g join loan l using (lender_id, loan_id)
where pg_try_advisory_xact_lock(hashtextextended(g.entry_id, hashtext(g.lender_id)));

-- name: loans_for_posting
-- What postings need to know of their locked loans, the money as `money_of_loan` has it, and the same entries in suspense with the
-- reversals that wait for them, in one look.
select l.lender_id, g.entry_id, l.currency, l.ledger_version, b.timezone, c.loan_id is not null as has_case, coalesce(c.open, false) as case_open,
    s.entry as kept, s.status as kept_status,
    array(select w.entry from suspense w where w.lender_id = l.lender_id and w.loan_id = l.loan_id and w.entry ->> 'reverses' = g.entry_id
          order by w.entry_id) as waiting,
    exists (select from entries e where e.lender_id = l.lender_id and e.entry_id = g.entry_id) as posted,
    t.tolerance, t.materiality, t.waterfall, t.day_count, t.annual_rate, t.penalty_rate, t.opened_on, t.disputed,
    array(select row (i.number, i.due_on, i.principal, i.interest, i.fee) from instalments i
          where i.lender_id = l.lender_id and i.loan_id = l.loan_id order by i.number) as instalments,
    array(select row (e.entry_id, e.kind, e.amount, e.value_date, e.reverses, e.status, e.reason, e.ledger_version,
                     e.component, e.instalment, e.direction) from ledger_lines e
          where e.lender_id = l.lender_id and e.loan_id = l.loan_id order by e.ledger_version) as entries
from unnest(:lender_ids::text[], :loan_ids::text[], :entry_ids::text[]) as g (lender_id, loan_id, entry_id)
join loans l using (lender_id, loan_id) join lenders b using (lender_id) join loan_terms t using (lender_id, loan_id)
left join cases c using (lender_id, loan_id)
left join suspense s on s.lender_id = l.lender_id and s.entry_id = g.entry_id;

-- name: append_entries$
-- Append entries, each its loan's newest version, and say how many; their places in the order of commits are drawn under the loans' locks.
with given as materialized (
    select * from jsonb_to_recordset(:rows::jsonb) as g (
        lender_id text, entry_id text, loan_id text, kind text, amount numeric, currency text, value_date date, reverses text, status text,
        component text, instalment integer, direction text, reason text, source text, payer text, ledger_version bigint,
        message text, payload jsonb, trace text
    )
), appended as (
    insert into entries (lender_id, entry_id, loan_id, kind, amount, currency, value_date, reverses, status, component, instalment,
                         direction, reason, source, payer, ledger_version)
    select lender_id, entry_id, loan_id, kind, amount, currency, value_date, reverses, status, component, instalment,
           direction, reason, source, payer, ledger_version from given
    on conflict do nothing returning lender_id, entry_id, loan_id, ledger_version
), told as (
    insert into outbox (lender_id, loan_id, message, payload, trace)
    select lender_id, loan_id, message, payload, trace from given join appended using (lender_id, entry_id, loan_id)
    where message is not null
), counted as (
    update loans l set ledger_version = a.ledger_version from appended a
    where l.lender_id = a.lender_id and l.loan_id = a.loan_id returning l.loan_id
)
select count(*) from counted;

-- name: move_on!
-- A pending entry moves on, which is the loan's newest version.
with moved as (
    insert into entry_status_changes (lender_id, entry_id, loan_id, status, ledger_version)
    values (:lender_id, :entry_id, :loan_id, :status, :ledger_version) returning lender_id, loan_id, ledger_version
), told as (
    insert into outbox (lender_id, loan_id, message, payload, trace)
    select lender_id, loan_id, :message, :payload::jsonb, :trace::text from moved where :message::text is not null
)
update loans l set ledger_version = m.ledger_version from moved m
where l.lender_id = m.lender_id and l.loan_id = m.loan_id;

-- name: taken_back$
-- What reversals took back of an entry; one that was returned took nothing.
select coalesce(sum(e.amount), 0) from entries e left join entry_status_changes c using (lender_id, entry_id)
where e.lender_id = :lender_id and e.loan_id = :loan_id and e.reverses = :entry_id and e.kind = 'reversal'
  and coalesce(c.status, e.status) <> 'returned';

-- name: suspend$
-- Keep an entry whose loan, or a reversal whose entry, is unknown.
insert into suspense (lender_id, entry_id, loan_id, entry, refusal) values (:lender_id, :entry_id, :loan_id, :entry, :refusal)
on conflict do nothing returning entry_id;

-- name: suspended^
-- An entry kept before.
select entry, status from suspense where lender_id = :lender_id and entry_id = :entry_id for update;

-- name: move_on_in_suspense!
-- Pending money moves on before its loan is known.
update suspense set status = :status where lender_id = :lender_id and entry_id = :entry_id;

-- name: note_refusal!
-- Why it is still there.
update suspense set refusal = :refusal
where lender_id = :lender_id and entry_id = :entry_id and refusal is distinct from :refusal;

-- name: leave_suspense!
-- Its loan is known now.
delete from suspense where lender_id = :lender_id and entry_id = :entry_id;

-- name: list_suspense
-- What waits for its loan; whether that is known by now, and only something else keeps it from being posted.
select s.lender_id, s.entry_id, s.loan_id, s.entry ->> 'kind' as kind, s.entry ->> 'amount' as amount, s.entry ->> 'currency' as currency,
    s.entry ->> 'value_date' as value_date, coalesce(s.status, s.entry ->> 'status') as status, s.entry ->> 'payer' as payer,
    s.posted_at, l.loan_id is not null as loan_known, s.refusal
from suspense s left join loans l using (lender_id, loan_id)
where :lender::text is null or s.lender_id = :lender
order by s.posted_at, s.lender_id, s.entry_id;

-- name: waiting_for_known_loans
-- Kept entries whose loan is known by now, in the order of locks; of a loan the oldest money first, and reversals last, for what they reverse
-- may be among them.
select s.entry from suspense s join loans l using (lender_id, loan_id)
order by s.lender_id, l.borrower_id, s.loan_id, s.entry ->> 'kind' = 'reversal', s.entry ->> 'value_date', s.entry_id;

-- name: match!
-- Somebody says which loan an entry is for.
insert into suspense_matches (lender_id, entry_id, sent_for, loan_id, matched_by, matched_at)
values (:lender_id, :entry_id, :sent_for, :loan_id, :by, :now)
on conflict (lender_id, entry_id) do update set loan_id = excluded.loan_id, matched_by = excluded.matched_by, matched_at = excluded.matched_at;

-- name: name_loan!
-- The kept entry names the loan that it was matched to.
update suspense set loan_id = :loan_id, refusal = null, entry = entry || jsonb_build_object('loan_id', :loan_id::text)
where lender_id = :lender_id and entry_id = :entry_id;

-- name: matched_loan$
-- The loan to which somebody matched an entry that was sent for another.
select loan_id from suspense_matches where lender_id = :lender_id and entry_id = :entry_id and sent_for = :loan_id;

-- name: lines_of_loan
-- The money of a loan for people, in the order of its commits.
select entry_id, kind, amount, currency, value_date, status, reverses, component, instalment, reason, source, payer, posted_at, ledger_version
from ledger_lines where lender_id = :lender_id and loan_id = :loan_id order by ledger_version;

-- name: staged_to_post_singly
-- Staged rows that are more than new or known: pending money that moves on, or an entry that somebody matched to another loan.
with single as (
    select s.line, s.lender_id, s.entry_id from entries e join staged_entries s using (lender_id, entry_id)
    where e.status = 'pending' and s.status <> 'pending'
      and not exists (select from entry_status_changes c where c.lender_id = e.lender_id and c.entry_id = e.entry_id)
    union
    select s.line, s.lender_id, s.entry_id from suspense k join staged_entries s using (lender_id, entry_id)
    where k.entry ->> 'status' = 'pending' and (s.status <> 'pending' or k.status is not null)
    union
    select s.line, s.lender_id, s.entry_id from suspense_matches m join staged_entries s using (lender_id, entry_id)
    where m.sent_for = s.loan_id
)
select s.line, jsonb_strip_nulls(to_jsonb(s) - array['line', 'malformed', 'raw']) as entry
from staged_entries s join single using (line) order by s.line;

-- name: drop_staged!
-- A row that is dealt with.
delete from staged_entries where line = :line;

-- name: reject_staged!
-- A row that could not be posted, and why.
insert into rejected (file, line, field, reason, row) values ('entries', :line, 'entry_id', :reason, array[:row::text]);
