-- name: holds
-- Holds on a loan, its people, and their numbers and addresses.
select hold_id, subject_kind, subject_id, reason, scopes, from_at as since, until_at as until, released_at
from holds
where lender_id = :lender_id and (
    (subject_kind = 'loan' and subject_id = :loan_id)
    or (subject_kind = 'person' and subject_id = :party_id)
    or (subject_kind = 'contact_point' and subject_id in (
        select value from contact_points where lender_id = :lender_id and party_id = :party_id)))
order by from_at, hold_id;

-- name: place_hold!
-- From now on, or from a day that lies behind.
insert into holds (hold_id, lender_id, subject_kind, subject_id, reason, scopes, from_at, until_at, source)
values (:hold_id, :lender_id, :subject_kind, :subject_id, :reason, :scopes, :since, :until, :source)
on conflict (hold_id) do nothing;

-- name: release_hold!
-- Ends it now.
update holds set released_at = :now where hold_id = :hold_id and released_at is null;

-- name: loans_of_person
-- Every loan of a person that has an open case: a hold on the person concerns them all.
select l.loan_id from loans l join cases c using (lender_id, loan_id)
where l.lender_id = :lender_id and l.borrower_id = :party_id and c.open order by l.loan_id;

-- name: add_promise!
-- The borrower's word.
insert into promises (promise_id, lender_id, loan_id, episode, amount, due_on, captured_at, captured_version, captured_by)
values (:promise_id, :lender_id, :loan_id, :episode, :amount, :due_on, :now, :version, :captured_by)
on conflict (promise_id) do nothing;

-- name: end_promise!
-- Kept, broken, or another took its place.
update promises set status = :status, judged_at = :now where promise_id = :promise_id and status = 'active';

-- name: add_plan!
-- What both sides agreed.
insert into plans (plan_id, lender_id, loan_id, episode, instalments, agreed_at, captured_version, agreed_by, approved_by)
values (:plan_id, :lender_id, :loan_id, :episode, :instalments, :now, :version, :agreed_by, :approved_by)
on conflict (plan_id) do nothing;

-- name: end_plan!
-- Kept, broken, or another took its place.
update plans set status = :status, judged_at = :now where plan_id = :plan_id and status = 'active';

-- name: last_promise^
-- The promise that ended last, and how.
select amount, due_on, status from promises
where lender_id = :lender_id and loan_id = :loan_id and status <> 'active' order by captured_at desc limit 1;
