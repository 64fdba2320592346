-- name: loans_to_begin!
-- Loans of which the ledger has nothing but these balances, each with its first one; they are locked. A balance of nothing begins a loan, too.
create temp table begun on commit drop as
select distinct on (l.lender_id, l.loan_id) l.lender_id, l.loan_id, l.currency, s.as_of::date as as_of, s.outstanding::numeric as outstanding,
       s.arrears::numeric as arrears, s.oldest_due_on::date as oldest_due_on
from staged_balances s join loans l using (lender_id, loan_id)
where l.ledger_version = 0 and l.begun_on is null
  and not exists (select from instalments i where i.lender_id = l.lender_id and i.loan_id = l.loan_id)
order by l.lender_id, l.loan_id, s.as_of;

-- name: begin_in_mid_life!
-- What is in arrears fell due on its day. Nobody knows when the rest does: it is owed, and not due.
insert into entries (lender_id, entry_id, loan_id, kind, amount, currency, value_date, reason, source, ledger_version)
select lender_id, 'opening/' || loan_id || '/' || part, loan_id, 'opening_balance', amount, currency, value_date, reason, 'balances',
       row_number() over (partition by lender_id, loan_id order by part)
from (
    select *, 'arrears' as part, arrears as amount, oldest_due_on as value_date, null as reason from begun where arrears > 0
    union all
    select *, 'rest', outstanding - arrears, as_of, 'not_due' from begun where outstanding > arrears
) parts
order by lender_id, loan_id, part;

-- name: note_begun!
-- Their versions and their day, and that their cases must be told, should there be any.
with counted as (
    select b.lender_id, b.loan_id, b.as_of, count(e.entry_id) as entries from begun b left join entries e using (lender_id, loan_id)
    group by b.lender_id, b.loan_id, b.as_of
), moved as (
    update loans l set ledger_version = c.entries, begun_on = c.as_of from counted c
    where l.lender_id = c.lender_id and l.loan_id = c.loan_id
)
insert into posted (lender_id, loan_id, before) select lender_id, loan_id, 0 from counted where entries > 0;

-- name: anybody_began$
-- Whether any loan began with a balance.
select exists (select from loans where begun_on is not null);

-- name: schedules_came!
-- Loans that began with a balance and of which instalments came, with what is left of the part that nobody knew the days of.
create temp table scheduled on commit drop as
select l.lender_id, l.loan_id, l.ledger_version, e.entry_id, e.currency, e.value_date, e.amount - t.taken_back as rest
from loans l join entries e on e.lender_id = l.lender_id and e.entry_id = 'opening/' || l.loan_id || '/rest' and e.loan_id = l.loan_id
cross join lateral (
    select coalesce(sum(r.amount), 0) as taken_back from entries r
    where r.lender_id = e.lender_id and r.loan_id = e.loan_id and r.reverses = e.entry_id and r.kind = 'reversal'
) t
where l.begun_on is not null and e.amount > t.taken_back
  and (l.lender_id, l.loan_id) in (
      select lender_id, loan_id from staged_instalments where principal::numeric + interest::numeric + fee::numeric > 0);

-- name: take_rests_back!
-- As of the balance's own day, so that on no day both stand.
insert into entries (lender_id, entry_id, loan_id, kind, amount, currency, value_date, reverses, reason, source, ledger_version)
select lender_id, entry_id || '/scheduled', loan_id, 'reversal', rest, currency, value_date, entry_id, 'scheduled', 'balances', ledger_version + 1
from scheduled order by lender_id, loan_id;

-- name: note_taken_back!
-- Their versions, and that their cases must be told; what was posted to them from this tape is noted already.
with moved as (
    update loans l set ledger_version = s.ledger_version + 1 from scheduled s where l.lender_id = s.lender_id and l.loan_id = s.loan_id
)
insert into posted (lender_id, loan_id, before)
select lender_id, loan_id, ledger_version from scheduled s
where not exists (select from posted p where p.lender_id = s.lender_id and p.loan_id = s.loan_id);

-- name: newest_balances!
-- The newest balance of each loan of the file that is not of a day to come, with what the ledger holds against it.
create temp table newest on commit drop as
select l.lender_id, l.loan_id, l.currency, n.as_of, n.outstanding, n.arrears, n.oldest_due_on, b.tolerance, b.materiality, b.balance_tolerance,
       row_number() over (order by l.lender_id, l.loan_id) as place
from (select distinct lender_id, loan_id from staged_balances) s cross join moment m
join loans l using (lender_id, loan_id)
join lenders b using (lender_id)
join lateral (
    select * from balances x
    where x.lender_id = l.lender_id and x.loan_id = l.loan_id and x.as_of <= (m.now at time zone b.timezone)::date
    order by x.as_of desc limit 1
) n on true;

-- name: compared
-- Some of these balances.
select * from newest where place > :after and place <= :after + :most order by place;

-- name: standing_mismatches
-- Loans on which contact is held because a balance did not agree, and their tasks.
select n.lender_id, n.loan_id, h.hold_id from newest n
join holds h on h.lender_id = n.lender_id and h.subject_kind = 'loan' and h.subject_id = n.loan_id
where h.reason = 'balance_mismatch' and h.source = 'feed' and h.released_at is null;

-- name: waiting_reconciliations
-- Loans whose balance somebody is looking at.
select t.lender_id, t.loan_id from tasks t join newest n using (lender_id, loan_id)
where t.kind = 'reconcile_balance' and t.status in ('open', 'answered');

-- name: place_in_journal^
-- The loan's case, if it has one, and how often its balance was looked at.
select c.episode, coalesce(c.open, false) as open,
       (select count(*) from tasks t where t.lender_id = l.lender_id and t.loan_id = l.loan_id and t.step_id = :step_id) as tasks
from loans l left join cases c using (lender_id, loan_id)
where l.lender_id = :lender_id and l.loan_id = :loan_id;

-- name: ask_to_reconcile!
-- Somebody must find out who is right.
insert into tasks (task_id, lender_id, loan_id, episode, step_id, ordinal, kind, opened_at, deadline, data)
values (:task_id, :lender_id, :loan_id, :episode, :step_id, :ordinal, 'reconcile_balance', :now, :deadline, :data);

-- name: update_question!
-- The figures have moved on, and the question is the same.
update tasks set data = :data
where lender_id = :lender_id and loan_id = :loan_id and kind = 'reconcile_balance' and status in ('open', 'answered') and data is distinct from :data;

-- name: end_reconciliation!
-- A later balance agrees.
update tasks set status = 'done', outcome = 'AGREED', ended_at = :now, end_reason = 'a later balance agrees'
where lender_id = :lender_id and loan_id = :loan_id and kind = 'reconcile_balance' and status in ('open', 'answered');

-- name: balances_came!
-- The core's figures of these lenders came.
insert into feeds (lender_id, balances_at) select distinct lender_id, :now::timestamptz from staged_balances join lenders using (lender_id)
on conflict (lender_id) do update set balances_at = greatest(feeds.balances_at, excluded.balances_at);

-- name: feeds
-- When each lender's files came last, and how old the payment feed may be.
select b.lender_id, f.fed_at, f.tape_at, f.balances_at, b.feed_hours, b.balance_tolerance
from lenders b left join feeds f using (lender_id)
where :lender_id::text is null or b.lender_id = :lender_id
order by b.lender_id;
