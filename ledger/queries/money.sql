-- name: lock_loan$
-- The borrower's row, then the loan's: the order of locks. The loan's is not looked for before the borrower's is had.
with person as materialized (
    select p.party_id from parties p
    where (p.lender_id, p.party_id) = (
        select l.lender_id, l.borrower_id from loans l where l.lender_id = :lender_id and l.loan_id = :loan_id
    ) for no key update
)
select loan_id from loans where lender_id = :lender_id and loan_id = :loan_id and exists (select from person) for no key update;

-- name: money_of_loan^
-- The schedule, the entries in the order of their commits (one that was pending stands again where it moved on), and the terms of a loan, in one look.
-- A row's columns stand in the order of the fields of what ledger/money.py makes of it.
select t.tolerance, t.materiality, t.waterfall, t.day_count, t.annual_rate, t.penalty_rate, t.opened_on, t.currency, t.disputed,
    array(select row (i.number, i.due_on, i.principal, i.interest, i.fee) from instalments i
          where i.lender_id = t.lender_id and i.loan_id = t.loan_id order by i.number) as instalments,
    array(select row (e.entry_id, e.kind, e.amount, e.value_date, e.reverses, e.status, e.reason, e.ledger_version,
                     e.component, e.instalment, e.direction) from ledger_lines e
          where e.lender_id = t.lender_id and e.loan_id = t.loan_id order by e.ledger_version) as entries
from loan_terms t where t.lender_id = :lender_id and t.loan_id = :loan_id;

-- name: withdraw_tasks
-- Work that chases money which has come. Counsel's withdrawals and the house's remedies go on.
update tasks set status = 'withdrawn', ended_at = :now, end_reason = 'cured'
where lender_id = :lender_id and loan_id = :loan_id and status in ('open', 'answered')
  and kind not in ('withdraw_letter', 'withdraw_suit', 'remedy', 'reconcile_balance')
returning task_id;

-- name: cancel_contacts
-- Contacts that were meant and not made.
update contacts set state = 'cancelled', reason = 'cured', settled_at = :now
where lender_id = :lender_id and loan_id = :loan_id and state = 'reserved' and purpose in ('collect', 'reminder')
returning contact_id;
