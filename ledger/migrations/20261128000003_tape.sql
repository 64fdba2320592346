-- migrate:up

-- Two lenders' loans could have one workflow, `loan-a-b-c`. The intake refuses the later loan; should two be here already, one case stands.
create unique index cases_by_workflow on cases (workflow_id);

-- The lender's own late fee takes the place of ours: a tape looks for those few.
create index entries_policy_fees on entries (lender_id, loan_id) where kind = 'late_fee' and source = 'policy';

-- A loan begins with a balance once, and what was due by its day is in that balance.
alter table loans add column begun_on date;
comment on column loans.begun_on is 'The day of the balance that the loan began with here; null where it began with its schedule or its entries.';
update loans l set begun_on = coalesce(
    (select e.value_date from entries e where e.lender_id = l.lender_id and e.entry_id = 'opening/' || l.loan_id || '/rest' and e.loan_id = l.loan_id),
    (select min(b.as_of) from balances b where b.lender_id = l.lender_id and b.loan_id = l.loan_id))
where exists (select from balances b where b.lender_id = l.lender_id and b.loan_id = l.loan_id)
  and (exists (select from entries e where e.lender_id = l.lender_id and e.loan_id = l.loan_id
               and e.entry_id in ('opening/' || l.loan_id || '/arrears', 'opening/' || l.loan_id || '/rest'))
       or l.ledger_version = 0 and not exists (select from instalments i where i.lender_id = l.lender_id and i.loan_id = l.loan_id));
create index loans_begun on loans (lender_id, loan_id) where begun_on is not null;

-- The sweep asks each loan without instalments that are due for an opening balance that is.
create index entries_opening on entries (lender_id, loan_id) where kind = 'opening_balance';

-- migrate:down
