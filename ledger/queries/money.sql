-- name: lock_loan$
-- The borrower's row, then the loan's: the order of locks. The loan's is not looked for before the borrower's is had.
with person as materialized (
    select p.party_id from parties p
    where (p.lender_id, p.party_id) = (
        select l.lender_id, l.borrower_id from loans l where l.lender_id = :lender_id and l.loan_id = :loan_id
    ) for no key update
)
select loan_id from loans where lender_id = :lender_id and loan_id = :loan_id and exists (select from person) for no key update;

-- name: entries_of_loan
-- All entries of a loan, in the order of their commits; one that was pending stands again where it moved on.
select entry_id, kind, amount, value_date, reverses, status, reason, ledger_version as version, component, instalment, direction
from ledger_lines
where lender_id = :lender_id and loan_id = :loan_id order by ledger_version;

-- name: instalments_of_loan
-- The schedule of a loan.
select number, due_on, principal, interest, fee from instalments
where lender_id = :lender_id and loan_id = :loan_id order by number;

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
