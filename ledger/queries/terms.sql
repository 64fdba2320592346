-- name: terms_of_loans
-- All terms of some loans.
select t.* from unnest(:lender_ids::text[], :loan_ids::text[]) as x (lender_id, loan_id) join loan_terms t using (lender_id, loan_id);

-- name: terms_of_lender^
-- What a lender has chosen; it cannot be chosen otherwise meanwhile.
select waterfall, day_count, daily_interest, penalty_interest, tolerance, materiality, balance_tolerance, timezone,
    late_fee_since, late_fee_amount, late_fee_rate, late_fee_cap, late_fee_grace
from lenders where lender_id = :lender_id for no key update;

-- name: own_terms_of_loan^
-- In what a loan differs from its lender; it cannot be chosen otherwise meanwhile.
select waterfall, day_count, daily_interest, penalty_interest
from loans where lender_id = :lender_id and loan_id = :loan_id for no key update;

-- name: choose_for_lender!
-- Change a lender's policy; what is not given stays.
update lenders set waterfall = coalesce(:waterfall, waterfall), day_count = coalesce(:day_count, day_count),
    daily_interest = coalesce(:daily_interest, daily_interest), penalty_interest = coalesce(:penalty_interest, penalty_interest),
    tolerance = coalesce(:tolerance, tolerance), materiality = coalesce(:materiality, materiality),
    balance_tolerance = coalesce(:balance_tolerance, balance_tolerance), timezone = coalesce(:timezone, timezone)
where lender_id = :lender_id;

-- name: choose_for_loan!
-- Let a loan differ from its lender; what is not given stays.
update loans set waterfall = coalesce(:waterfall, waterfall), day_count = coalesce(:day_count, day_count),
    daily_interest = coalesce(:daily_interest, daily_interest), penalty_interest = coalesce(:penalty_interest, penalty_interest)
where lender_id = :lender_id and loan_id = :loan_id;

-- name: note_change!
-- Who changed terms, and why.
insert into term_changes (lender_id, loan_id, changed, made_by, reason, changed_at)
values (:lender_id, :loan_id, :changed, :by, :why, :now);

-- name: tell_cases!
-- Open cases that these terms concern: what is past due may be another day now.
insert into outbox (lender_id, loan_id, message, payload, trace)
select lender_id, loan_id, 'ledger_changed', '{"about": "terms"}'::jsonb, :trace::text from cases
where open and lender_id = :lender_id and (:loan_id::text is null or loan_id = :loan_id);

-- name: changes
-- What was changed of the terms of a lender and its loans, or of a loan and its lender's, the oldest first.
select lender_id, loan_id, changed, made_by as by, reason as why, changed_at as at from term_changes
where lender_id = :lender_id and (:loan_id::text is null or loan_id is null or loan_id = :loan_id) order by change_id;

-- name: dispute_part$
-- Note what a borrower disputes.
insert into disputed_parts (lender_id, loan_id, instalment, component, since, source, reason)
values (:lender_id, :loan_id, :instalment, :component, :since, :source, :reason) returning dispute_id;

-- name: has_instalment$
-- Whether a loan's schedule has an instalment of this number.
select exists (select from instalments where lender_id = :lender_id and loan_id = :loan_id and number = :number);

-- name: end_disputes
-- What is disputed of a loan is so no longer, from a day on; a dispute lasts a day at least.
update disputed_parts set until = greatest(:until, since + 1)
where lender_id = :lender_id and loan_id = :loan_id and until is null returning dispute_id;
