-- migrate:up

-- The sweep asks each loan without instalments that are due for entries that age by themselves.
create index entries_ageing on entries (lender_id, loan_id) where kind in ('opening_balance', 'adjustment', 'refund', 'accelerate');
drop index entries_opening;

-- migrate:down
