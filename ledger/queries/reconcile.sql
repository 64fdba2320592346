-- name: booked
-- What a statement may show: money that came, went back or was paid out, by its day or by an id that the statement names. A processor
-- names its own ids, without what a connector puts before and after them. What takes back a fee moves no money.
with told as (
    select e.lender_id, e.entry_id, e.loan_id, e.kind, e.amount, e.currency, e.value_date, e.reverses,
           coalesce(c.status, e.status) as status, e.source, false as suspense
    from entries e left join entry_status_changes c using (lender_id, entry_id)
    where e.kind in ('payment', 'reversal', 'refund')
      and e.lender_id = coalesce(:lender_id::text, e.lender_id)
      and (e.value_date between :since::date and :until::date
           or e.entry_id = any(:ids::text[]) or e.source = any(:ids::text[]) or e.reverses = any(:ids::text[])
           or split_part(substr(e.entry_id, length(e.source) + 2), '/', 1) = any(:ids::text[])
           or split_part(substr(e.reverses, length(e.source) + 2), '/', 1) = any(:ids::text[]))
    union all
    select lender_id, entry_id, loan_id, entry ->> 'kind', (entry ->> 'amount')::numeric, entry ->> 'currency',
           (entry ->> 'value_date')::date, entry ->> 'reverses', coalesce(status, entry ->> 'status', 'settled'), entry ->> 'source', true
    from suspense
    where entry ->> 'kind' in ('payment', 'reversal', 'refund') and lender_id = coalesce(:lender_id::text, lender_id)
)
select t.*, coalesce(o.kind, k.entry ->> 'kind') as of
from told t
left join entries o on o.lender_id = t.lender_id and o.entry_id = t.reverses
left join suspense k on k.lender_id = t.lender_id and k.entry_id = t.reverses
where coalesce(o.kind, k.entry ->> 'kind', 'payment') in ('payment', 'refund');

-- name: lender_known$
-- Whether there is such a lender.
select lender_id from lenders where lender_id = :lender_id;
