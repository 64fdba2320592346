-- migrate:up

-- Two lenders' loans could have one workflow, `loan-a-b-c`. The intake refuses the later loan; should two be here already, one case stands.
create unique index cases_by_workflow on cases (workflow_id);

-- The lender's own late fee takes the place of ours: a tape looks for those few.
create index entries_policy_fees on entries (lender_id, loan_id) where kind = 'late_fee' and source = 'policy';

-- migrate:down
