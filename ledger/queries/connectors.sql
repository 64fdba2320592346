-- name: newest_with_left$
-- Of a payment and what was paid in its stead after a dispute (its `reason` names the payment), in suspense too: the newest of which
-- so much is not taken back yet.
with gave as (
    select entry_id, amount, posted_at from entries
    where lender_id = :lender_id and loan_id = :loan_id and (entry_id = :paid or (kind = 'payment' and reason = :paid))
    union all
    select entry_id, (entry ->> 'amount')::numeric, posted_at from suspense
    where lender_id = :lender_id and (entry_id = :paid or (entry ->> 'kind' = 'payment' and entry ->> 'reason' = :paid))
), took as (
    select reverses, amount from entries where lender_id = :lender_id and loan_id = :loan_id and kind = 'reversal'
    union all
    select entry ->> 'reverses', (entry ->> 'amount')::numeric from suspense
    where lender_id = :lender_id and entry ->> 'kind' = 'reversal'
)
select entry_id from gave
where amount - (select coalesce(sum(t.amount), 0) from took t where t.reverses = gave.entry_id) >= :amount::numeric
order by posted_at desc, entry_id limit 1;
