-- migrate:up

-- Payments that stood and were taken back. A fee that is taken back, or money that was never there, is none of them.
create view payments_taken_back as
select p.lender_id, p.loan_id, p.entry_id, p.ledger_version as paid_version, r.ledger_version as taken_back_version,
    r.value_date, r.reason is not distinct from 'misposted' as misposted
from ledger_lines r
join ledger_lines p on p.lender_id = r.lender_id and p.loan_id = r.loan_id and p.entry_id = r.reverses
where r.kind = 'reversal' and r.status = 'settled' and p.kind = 'payment' and p.status = 'settled';
comment on view payments_taken_back is 'Settled payments and what took each back, in whole or in part.';
comment on column payments_taken_back.lender_id is 'The lender.';
comment on column payments_taken_back.loan_id is 'The loan.';
comment on column payments_taken_back.entry_id is 'The payment, by the sender''s id.';
comment on column payments_taken_back.paid_version is 'The ledger version of the loan from which it stood.';
comment on column payments_taken_back.taken_back_version is 'The ledger version of the loan that took it back.';
comment on column payments_taken_back.value_date is 'The day from which it no longer counts.';
comment on column payments_taken_back.misposted is 'Whether it was an error of the lender''s own.';

-- migrate:down
