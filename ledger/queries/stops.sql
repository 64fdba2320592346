-- name: pass_beside_stops$
-- Contacts pass side by side; the stop button waits for those that are passing, and every later one sees it.
select pg_advisory_xact_lock_shared(4180001);

-- name: wait_for_those_passing$
-- Once this returns, every contact that was passing the gate is committed, and none passes until the transaction ends.
select pg_advisory_xact_lock(4180001);

-- name: press!
-- Press the button.
insert into stops (lender_id, channel, strategy, reason) values (:lender_id, :channel, :strategy, :reason)
on conflict (lender_id, channel, strategy) where released_order is null do nothing;

-- name: release!
-- Release it; that it was pressed stays on record.
update stops set released_at = now(), released_order = nextval('commit_order')
where lender_id = :lender_id and channel = :channel and strategy = :strategy and released_order is null;

-- name: wake
-- Tell the cases whose next step was put off by the button.
insert into outbox (lender_id, loan_id, message, payload)
select c.lender_id, c.loan_id, 'ledger_changed', '{"about": "go"}' from cases c
where c.open and :lender_id::text in ('*', c.lender_id) and :strategy::text in ('*', c.strategy)
  and c.next_step ->> 'why' like '%core.STOPPED%'
returning id;

-- name: pressed
-- What is stopped.
select lender_id, channel, strategy, stopped_at, reason from stops where released_order is null order by 1, 2, 3;
