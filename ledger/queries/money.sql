-- name: lock_person$
-- The borrower's row, first in the order of locks.
select p.party_id from parties p
where (p.lender_id, p.party_id) = (
    select l.lender_id, l.borrower_id from loans l where l.lender_id = :lender_id and l.loan_id = :loan_id
) for no key update;

-- name: lock_loan$
-- The loan's row, second in the order of locks.
select loan_id from loans where lender_id = :lender_id and loan_id = :loan_id for no key update;

-- name: loan_for_posting^
-- What a posting needs to know of its loan.
select l.currency, l.ledger_version, b.timezone, coalesce(c.open, false) as case_open
from loans l join lenders b using (lender_id) left join cases c using (lender_id, loan_id)
where l.lender_id = :lender_id and l.loan_id = :loan_id;

-- name: entry^
-- One entry by its sender's id.
select lender_id, entry_id, loan_id, kind, amount, currency, value_date, reverses, status, component, instalment, direction, reason,
    source, payer, ledger_version
from entries where lender_id = :lender_id and entry_id = :entry_id;

-- name: entries_of_loan
-- All entries of a loan, in the order of their commits.
select entry_id, kind, amount, value_date, reverses, status, reason, ledger_version as version from entries
where lender_id = :lender_id and loan_id = :loan_id order by ledger_version;

-- name: instalments_of_loan
-- The schedule of a loan.
select number, due_on, principal, interest, fee from instalments
where lender_id = :lender_id and loan_id = :loan_id order by number;

-- name: terms_of_lender^
-- How the lender reads a position.
select tolerance, materiality from lenders where lender_id = :lender_id;

-- name: insert_entry$
-- Append one entry; its place in the order of commits is drawn under the loan's lock.
insert into entries (lender_id, entry_id, loan_id, kind, amount, currency, value_date, reverses, status, component, instalment,
                     direction, reason, source, payer, ledger_version)
values (:lender_id, :entry_id, :loan_id, :kind, :amount, :currency, :value_date, :reverses, :status, :component, :instalment,
        :direction, :reason, :source, :payer, :ledger_version)
on conflict do nothing returning ledger_version;

-- name: set_ledger_version!
-- The loan's version is that of its newest entry.
update loans set ledger_version = :ledger_version where lender_id = :lender_id and loan_id = :loan_id;

-- name: taken_back$
-- What reversals took back of an entry.
select coalesce(sum(amount), 0) from entries
where lender_id = :lender_id and loan_id = :loan_id and reverses = :entry_id and kind = 'reversal';

-- name: withdraw_tasks
-- Work that chases money which has come. Counsel's withdrawals and the house's remedies go on.
update tasks set status = 'withdrawn', ended_at = :now, end_reason = 'cured'
where lender_id = :lender_id and loan_id = :loan_id and status in ('open', 'answered')
  and kind not in ('withdraw_letter', 'withdraw_suit', 'remedy')
returning task_id;

-- name: cancel_contacts
-- Contacts that were meant and not made.
update contacts set state = 'cancelled', reason = 'cured', settled_at = :now
where lender_id = :lender_id and loan_id = :loan_id and state = 'reserved' and purpose in ('collect', 'reminder')
returning contact_id;

-- name: suspend$
-- Keep an entry whose loan is unknown.
insert into suspense (lender_id, entry_id, loan_id, entry) values (:lender_id, :entry_id, :loan_id, :entry)
on conflict do nothing returning entry_id;

-- name: suspended$
-- An entry kept before.
select entry from suspense where lender_id = :lender_id and entry_id = :entry_id;

-- name: leave_suspense!
-- Its loan is known now.
delete from suspense where lender_id = :lender_id and entry_id = :entry_id;
