-- name: late_fee_policy^
-- What a lender charges for late instalments.
select late_fee_since as since, late_fee_amount as amount, late_fee_rate as rate, late_fee_cap as cap, late_fee_grace as grace_days
from lenders where lender_id = :lender_id;

-- name: choose_late_fee$
-- A lender charges late instalments from a day on; null charges nothing any more.
update lenders set late_fee_since = :since, late_fee_amount = :amount, late_fee_rate = :rate, late_fee_cap = :cap, late_fee_grace = :grace_days
where lender_id = :lender_id returning lender_id;

-- name: anybody_charges$
-- Whether any lender charges late instalments.
select exists (select from lenders where late_fee_since is not null and mode = 'live' and (:lender::text is null or lender_id = :lender));

-- name: chargeable
-- A page of open cases whose lender charges late instalments. Without a case nothing is past due.
select c.lender_id, c.loan_id from cases c join lenders b using (lender_id)
where (c.lender_id, c.loan_id) > (:after_lender, :after_loan)
  and (:lender::text is null or c.lender_id = :lender)
  and c.open and b.late_fee_since is not null and b.mode = 'live'
order by c.lender_id, c.loan_id
limit :page;

-- name: reminding_strategies
-- Of each strategy the version that new cases get, and those that loans without an open case keep to.
select s.name, s.version, s.digest from strategies s
where not exists (select from strategies newer where newer.name = s.name and newer.version > s.version)
   or exists (select from cases c where not c.open and c.strategy = s.name and c.strategy_version = s.version);

-- name: falling_due
-- A page of loans without an open case on which an instalment falls due soon.
select distinct l.lender_id, l.loan_id from instalments i join loans l using (lender_id, loan_id) left join cases c using (lender_id, loan_id)
where (l.lender_id, l.loan_id) > (:after_lender, :after_loan)
  and (:lender::text is null or l.lender_id = :lender)
  and l.status = 'active' and not coalesce(c.open, false)
  and i.due_on between :first::date and :last::date
order by l.lender_id, l.loan_id
limit :page;

-- name: strategy_of_place^
-- The strategy that a loan's place, or its last case, keeps to; nothing where it has neither.
select strategy, strategy_version from cases where lender_id = :lender_id and loan_id = :loan_id;

-- name: keep_place!
-- A place in the ledger for contacts before there is a case: episode 0, never open, without a workflow.
insert into cases (lender_id, loan_id, workflow_id, strategy, strategy_version, opened_at, episode_at, episode, chain_from, stage, open)
values (:lender_id, :loan_id, :workflow_id, :strategy, :strategy_version, :now, :now, 0, 0, 'reminder', false)
on conflict do nothing;
