-- name: portfolio
-- Every loan that ever had a case.
select c.lender_id, c.loan_id, c.open, c.stage, c.opened_at, c.closed_at, c.episode, b.timezone, l.currency,
    (select min(k.sending_at) from contacts k where k.lender_id = c.lender_id and k.loan_id = c.loan_id and k.sending_at is not null) as first_contact,
    (select min(p.agreed_at) from plans p where p.lender_id = c.lender_id and p.loan_id = c.loan_id) as planned_at
from cases c join loans l using (lender_id, loan_id) join lenders b using (lender_id)
order by c.lender_id, c.loan_id;

-- name: stages_reached
-- The furthest stage of each case's strategy in which something was done.
select c.lender_id, c.loan_id, array_agg(distinct s.step_id) as step_ids, st.content from cases c
join strategies st on st.name = c.strategy and st.version = c.strategy_version
left join steps s using (lender_id, loan_id)
group by c.lender_id, c.loan_id, st.content;

-- name: contacts_by_channel
-- Contacts made, by channel, purpose and state.
select channel, purpose, state, count(*) as contacts from contacts
where state not in ('reserved', 'cancelled') group by channel, purpose, state order by 1, 2, 3;

-- name: tasks_by_kind
-- Tasks, by kind and state.
select kind, status, count(*) as tasks from tasks group by kind, status order by 1, 2;
