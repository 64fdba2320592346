-- name: terms_of_loans
-- All terms of some loans.
select t.* from unnest(:lender_ids::text[], :loan_ids::text[]) as x (lender_id, loan_id) join loan_terms t using (lender_id, loan_id);

-- name: choose_for_lender$
-- Change a lender's policy; what is not given stays.
update lenders set waterfall = coalesce(:waterfall, waterfall), day_count = coalesce(:day_count, day_count),
    daily_interest = coalesce(:daily_interest, daily_interest), penalty_interest = coalesce(:penalty_interest, penalty_interest)
where lender_id = :lender_id returning lender_id;

-- name: choose_for_loan$
-- Let a loan differ from its lender; what is not given stays.
update loans set waterfall = coalesce(:waterfall, waterfall), day_count = coalesce(:day_count, day_count),
    daily_interest = coalesce(:daily_interest, daily_interest), penalty_interest = coalesce(:penalty_interest, penalty_interest)
where lender_id = :lender_id and loan_id = :loan_id returning loan_id;

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
