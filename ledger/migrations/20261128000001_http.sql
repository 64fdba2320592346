-- migrate:up

-- Whoever looks at suspense sees why a row of a known loan is still there.
alter table suspense add column refusal text;
comment on column suspense.refusal is 'Why it waits although its loan is known, as of when posting it was last tried.';
comment on table suspense is 'Money that names no loan we know, and reversals that came before what they reverse.';
-- Each new entry looks for the reversals that wait for it, among what waits for its loan.
create index suspense_by_loan on suspense (lender_id, loan_id);

-- migrate:down
