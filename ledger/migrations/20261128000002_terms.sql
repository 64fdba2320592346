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

-- Who changed a lender's or a loan's terms, and why. Nothing in it is ever changed.
create table term_changes (
    change_id  bigint generated always as identity primary key,
    lender_id  text not null references lenders,
    loan_id    text,
    changed    jsonb not null,
    made_by    text not null,
    reason     text not null,
    changed_at timestamptz not null,
    foreign key (lender_id, loan_id) references loans
);
create index term_changes_by_loan on term_changes (lender_id, loan_id);
comment on table term_changes is 'Who changed the terms by which loans are read, and why.';
comment on column term_changes.change_id is 'In the order of the changes.';
comment on column term_changes.lender_id is 'The lender.';
comment on column term_changes.loan_id is 'The one loan whose terms they are; null where they are the lender''s.';
comment on column term_changes.changed is 'Each term that changed, by its name: what it was, and what it is now.';
comment on column term_changes.made_by is 'Whoever changed it, in their own words.';
comment on column term_changes.reason is 'Why, in their words.';
comment on column term_changes.changed_at is 'Business time.';

-- migrate:down
