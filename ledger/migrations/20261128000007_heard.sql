-- migrate:up

-- When a case took in what it was told of money: written by whoever watches (ledger/figures.py), so that what no case ever took in is found
-- however old it is, without a look at all that was.
alter table outbox add column heard_at timestamptz;
comment on column outbox.heard_at is 'When its case had taken it in, where somebody has looked: only messages about money.';

update outbox o set heard_at = absorbed.at
from (
    select m.id, (select min(e.recorded_at) from case_events e
        where e.lender_id = m.lender_id and e.loan_id = m.loan_id
          and case when e.message_id ~ '^outbox-[0-9]{1,18}$' then substr(e.message_id, 8)::bigint end >= m.id) as at
    from outbox m where m.message in ('payment_received', 'payment_reversed') and m.result = 'signalled') as absorbed
where o.id = absorbed.id and absorbed.at is not null;

create index outbox_unheard on outbox (created_at)
where heard_at is null and message in ('payment_received', 'payment_reversed') and coalesce(result, '') not in ('no case', 'closed');

-- migrate:down
