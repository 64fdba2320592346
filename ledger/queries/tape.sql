-- name: for_bulk#
-- Settings for statements over millions of rows, until the transaction ends.
set local jit = off;
set local work_mem = '64MB';
set local maintenance_work_mem = '256MB';

-- name: one_tape_at_a_time!
-- Tapes are taken in one after another: two that change the same rows would each see half of the other.
select pg_advisory_xact_lock(hashtextextended('tape', 0));

-- name: may_be_first$
-- Whether nothing of a tape is in the ledger yet, and the role may change its tables.
select not exists (select from parties) and not exists (select from loans)
    and (select bool_and(pg_has_role(relowner, 'usage')) from pg_class where oid = any(:tables::text[]::regclass[]));

-- name: have_for_oneself#
-- The tables of a tape and what they refer to, before anything else is locked; where somebody has one of them, none.
lock table lenders, parties, contact_points, loans, instalments in access exclusive mode nowait;

-- name: made_again
-- How to do without the foreign keys of these tables and the keys and indexes by which instalments are found, and how to have them again.
select format('alter table %s drop constraint %I', conrelid::regclass, conname) as without,
       format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as with_it
from pg_constraint
where contype = 'f' and conrelid = any(:tables::text[]::regclass[]) or contype = 'p' and conrelid = 'instalments'::regclass
union all
select format('drop index %s', x.indexrelid::regclass), pg_get_indexdef(x.indexrelid) from pg_index x
where x.indrelid = 'instalments'::regclass and not x.indisunique
union all
select 'alter table instalments disable trigger of_loans_added', 'alter table instalments enable trigger of_loans_added';

-- name: instalment_without_loan$
-- The loan of an instalment that breaks what the trigger `of_loans_added` keeps. The least of all: whoever asks for any one has them looked up one by one.
select min(i.lender_id || '/' || i.loan_id) from instalments i left join loans l using (lender_id, loan_id) where l.loan_id is null;

-- name: make_workbench#
-- What one intake works with; it goes when the transaction ends.
create temp table known_codes (kind text, code text, decimals int, primary key (kind, code)) on commit drop;
create temp table rejected (file text, line bigint, field text, reason text, row text[]) on commit drop;
create temp table touched (lender_id text, loan_id text, file text) on commit drop;
create temp table changed (kind text, lender_id text, id text, party_id text) on commit drop;
create temp table waiting (line bigint, refusal text) on commit drop;
create temp table moment (now timestamptz) on commit drop;
create temp table posted (lender_id text, loan_id text, before bigint) on commit drop;

-- name: count_rejected$
-- How many rows of a file were refused.
select count(*) from rejected where file = :file;

-- name: strategy_published$
-- Whether some version of a strategy is published.
select exists (select from strategies where name = :name);

-- name: ask_for_strategy!
-- The strategy that the taken loans' next cases follow.
update loans l set strategy = :strategy
from staged_loans s
where l.lender_id = s.lender_id and l.loan_id = s.loan_id and l.strategy is distinct from :strategy;

-- name: count_without_limitation$
-- Staged loans of which nobody knows when the debt becomes time-barred.
select count(*) from loans l join staged_loans s using (lender_id, loan_id)
where l.limitation_on is null
  and not exists (select from limitation_events e where e.lender_id = l.lender_id and e.loan_id = l.loan_id);

-- name: add_lenders!
-- A lender that the tape names first begins in shadow, without rulebooks: nobody is contacted until someone says how.
insert into lenders (lender_id, name)
select distinct lender_id, lender_id from staged_loans
on conflict do nothing;

-- name: count_changed_loans$
-- Staged loans, not new ones, of which the loan, its borrower or the borrower's number is another than before.
select count(*) from staged_loans s
where (s.lender_id, s.loan_id) not in (select lender_id, id from changed where kind = 'new loans')
  and ((s.lender_id, s.loan_id) in (select lender_id, id from changed where kind = 'loans')
       or (s.lender_id, s.borrower_id) in (select lender_id, id from changed where kind in ('parties', 'contact_points', 'new contact_points')));

-- name: count_changed_parties$
-- Staged parties, not newly beside their loan, of which the person or the role is another than before.
select count(*) from staged_parties s
where not exists (select from changed n where n.kind = 'new loan_parties' and (n.lender_id, n.id, n.party_id) = (s.lender_id, s.loan_id, s.party_id))
  and exists (
      select from changed c
      where c.lender_id = s.lender_id and c.party_id = s.party_id and (c.kind = 'parties' or c.kind = 'loan_parties' and c.id = s.loan_id)
  );

-- name: touched_loans
-- Loans with an open case whose tape changed, locked long ago, and what changed.
select t.lender_id, t.loan_id, array_agg(distinct t.file order by t.file) as files
from touched t group by t.lender_id, t.loan_id order by t.lender_id, t.loan_id;

-- name: count_known_entries$
-- Staged entries that the ledger has already; those of other content are gone by now.
with gone as (
    delete from staged_entries s using entries e
    where e.lender_id = s.lender_id and e.entry_id = s.entry_id
    returning s.line
)
select count(*) from gone;

-- name: note_waiting!
-- Staged entries that are for suspense: their loan is unknown, or they reverse what has not come.
insert into waiting (line, refusal)
select s.line, case when l.loan_id is not null then
    format('reverses %s is no entry of loan %s/%s yet: it is posted when that entry comes.', s.reverses, s.lender_id, s.loan_id) end
from staged_entries s left join loans l using (lender_id, loan_id)
where l.loan_id is null or s.kind = 'reversal'
  and not exists (select from entries e where e.lender_id = s.lender_id and e.entry_id = s.reverses)
  and not exists (select from staged_entries t join loans using (lender_id, loan_id) where t.lender_id = s.lender_id and t.entry_id = s.reverses);

-- name: count_kept_entries$
-- Staged entries that wait in suspense already.
with gone as (
    delete from staged_entries s using waiting w, suspense k
    where w.line = s.line and k.lender_id = s.lender_id and k.entry_id = s.entry_id
    returning s.line
)
select count(*) from gone;

-- name: lenders_to_post
-- The lenders of the entries that are left to be posted.
select distinct lender_id from staged_entries;

-- name: suspend_staged^
-- Keep the entries that wait; how many, and whose.
with gone as (
    delete from staged_entries s using waiting w where w.line = s.line returning s.*
), kept as (
    insert into suspense (lender_id, entry_id, loan_id, entry, refusal)
    select lender_id, entry_id, loan_id,
           jsonb_strip_nulls(to_jsonb(gone) - array['line', 'malformed', 'raw'])
               || jsonb_build_object('amount', trim_scale(amount::numeric)::text), refusal
    from gone join waiting using (line)
    returning lender_id
)
select count(*) as entries, coalesce(array_agg(distinct lender_id), '{}') as lenders from kept;

-- name: leave_suspense_staged!
-- Entries that were kept before their loan was known, and came again.
delete from suspense k using staged_entries s where k.lender_id = s.lender_id and k.entry_id = s.entry_id;

-- name: note_versions!
-- The loans that entries are about to be posted to, and where their versions stand.
insert into posted (lender_id, loan_id, before)
select l.lender_id, l.loan_id, l.ledger_version from loans l
where (l.lender_id, l.loan_id) in (select lender_id, loan_id from staged_entries);

-- name: post_staged!
-- Append the entries; within a loan their versions follow the lines of the file, without a gap.
insert into entries (lender_id, entry_id, loan_id, kind, amount, currency, value_date, reverses, status,
                     component, instalment, direction, reason, source, payer, ledger_version)
select lender_id, entry_id, loan_id, kind, amount::numeric, currency, value_date::date, reverses, status,
       component, instalment::int, direction, reason, source, payer,
       before + row_number() over (partition by lender_id, loan_id order by line)
from staged_entries join posted using (lender_id, loan_id)
order by line;

-- name: move_versions!
-- Each loan's version is that of its newest entry.
update loans l set ledger_version = l.ledger_version + n.entries
from (select lender_id, loan_id, count(*) as entries from staged_entries group by lender_id, loan_id) n
where l.lender_id = n.lender_id and l.loan_id = n.loan_id;

-- name: posted_to_cases
-- Loans with a case that got entries, and the version before them.
select p.lender_id, p.loan_id, p.before, c.open from posted p
join cases c using (lender_id, loan_id)
order by p.lender_id, p.loan_id;

-- name: entries_since
-- A loan's entries after a version.
select lender_id, entry_id, loan_id, kind, amount, currency, value_date, reverses, status,
       component, instalment, direction, reason, source, payer, ledger_version
from entries where lender_id = :lender_id and loan_id = :loan_id and ledger_version > :before
order by ledger_version;

-- name: zone_of_lender$
-- The zone that decides the lender's business date.
select timezone from lenders where lender_id = :lender_id;

-- name: tape_loaded!
-- Wakes the sweep once the tape is committed.
select pg_notify('tape_loaded', '');

-- name: note_feeds!
-- The payment feeds of these lenders came.
insert into feeds (lender_id, fed_at) select lender_id, :now::timestamptz from lenders where lender_id = any(:lenders::text[])
on conflict (lender_id) do update set fed_at = greatest(feeds.fed_at, excluded.fed_at);

-- name: tape_came!
-- The loans files of these lenders came.
insert into feeds (lender_id, tape_at) select distinct lender_id, :now::timestamptz from staged_loans
on conflict (lender_id) do update set tape_at = greatest(feeds.tape_at, excluded.tape_at);

-- name: replace_numbers!
-- A number that a loan's row gave before and no loan of the borrower's gives any more is not theirs now. A contacts file's own are left alone.
-- Looked up one by one through the indexes: nothing is known yet of how many rows this transaction has changed.
with concerned as materialized (
    select distinct l.lender_id, l.borrower_id from changed c
    cross join lateral (select * from loans x where x.lender_id = c.lender_id and x.loan_id = c.id offset 0) l
    where c.kind = 'loans'
), old as materialized (
    select p.* from concerned d
    cross join lateral (
        select * from contact_points x
        where x.lender_id = d.lender_id and x.party_id = d.borrower_id and x.kind = 'mobile' and x.source = 'loan' and x.status = 'active'
        offset 0
    ) p
    where p.value <> all (array(
        select o.phone from loans o where o.lender_id = d.lender_id and o.borrower_id = d.borrower_id and o.phone is not null))
), history as (
    insert into tape_history (lender_id, kind, key, version, row)
    select lender_id, 'contact_points', concat_ws('/', lender_id, party_id, kind, value), version, to_jsonb(old) from old
), told as (
    insert into touched (lender_id, loan_id, file)
    select l.lender_id, l.loan_id, 'loans' from old join loans l on l.lender_id = old.lender_id and l.borrower_id = old.party_id
    join cases c on c.lender_id = l.lender_id and c.loan_id = l.loan_id where c.open
)
update contact_points p set status = 'replaced', version = p.version + 1
from old where (p.lender_id, p.party_id, p.kind, p.value) = (old.lender_id, old.party_id, old.kind, old.value);

-- name: take_numbers_back!
-- A number that was replaced, and is on the tape again.
with old as materialized (
    select p.* from contact_points p
    where p.kind = 'mobile' and p.status = 'replaced' and p.value = any (array(
        select o.phone from loans o where o.lender_id = p.lender_id and o.borrower_id = p.party_id))
), history as (
    insert into tape_history (lender_id, kind, key, version, row)
    select lender_id, 'contact_points', concat_ws('/', lender_id, party_id, kind, value), version, to_jsonb(old) from old
), told as (
    insert into touched (lender_id, loan_id, file)
    select l.lender_id, l.loan_id, 'loans' from old join loans l on l.lender_id = old.lender_id and l.borrower_id = old.party_id
    join cases c on c.lender_id = l.lender_id and c.loan_id = l.loan_id where c.open
)
update contact_points p set status = 'active', version = p.version + 1
from old where (p.lender_id, p.party_id, p.kind, p.value) = (old.lender_id, old.party_id, old.kind, old.value);

-- name: recalled_loans
-- Loans that the lender took back and that nothing holds yet.
select l.lender_id, l.loan_id, l.status from loans l
where l.status <> 'active' and not exists (
    select from holds h where h.lender_id = l.lender_id and h.subject_kind = 'loan' and h.subject_id = l.loan_id
      and h.reason = 'recalled' and h.source = 'feed' and h.released_at is null)
order by l.lender_id, l.loan_id;

-- name: returned_loans
-- Loans that the lender gave back, and what still holds them.
select l.lender_id, l.loan_id, h.hold_id from holds h
join loans l on l.lender_id = h.lender_id and l.loan_id = h.subject_id
where h.reason = 'recalled' and h.source = 'feed' and h.released_at is null and l.status = 'active'
order by l.lender_id, l.loan_id;

-- name: tell_of!
-- The open case of a loan must hear of a file.
insert into touched (lender_id, loan_id, file)
select lender_id, loan_id, :file from cases where lender_id = :lender_id and loan_id = :loan_id and open;

-- name: close_recalled^
-- The case of a loan that was taken back undoes what stands, then closes.
update cases set closing = coalesce(closing, :reason) where lender_id = :lender_id and loan_id = :loan_id and open returning episode;

-- name: journal_of_feed!
-- One more line of the case's story, where there is a case.
insert into case_events (lender_id, loan_id, episode, at, kind, data)
select lender_id, loan_id, episode, :now, :kind, :data from cases where lender_id = :lender_id and loan_id = :loan_id;

-- name: withdraw_recalled_tasks!
-- Nobody works on a loan that was taken back, but to undo what was done and to put right what was wrong.
update tasks set status = 'withdrawn', ended_at = :now, end_reason = :reason
where lender_id = :lender_id and loan_id = :loan_id and status in ('open', 'answered')
  and kind not in ('withdraw_letter', 'withdraw_suit', 'remedy');

-- name: cancel_recalled_contacts!
-- Contacts that were meant and not made.
update contacts set state = 'cancelled', reason = :reason, settled_at = :now
where lender_id = :lender_id and loan_id = :loan_id and state = 'reserved';

-- name: withdraw_agreements!
-- What was promised or planned is the new owner's business.
with promised as (
    update promises set status = 'withdrawn', judged_at = :now where lender_id = :lender_id and loan_id = :loan_id and status = 'active'
)
update plans set status = 'withdrawn', judged_at = :now where lender_id = :lender_id and loan_id = :loan_id and status = 'active';
