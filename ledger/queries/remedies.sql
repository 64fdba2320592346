-- name: case_of^
-- What a remedy needs to know of the loan's case.
select c.episode, c.open, c.collector, coalesce(s.content ->> 'calendar', l.country) as calendar, b.timezone,
    1 + coalesce((select max(t.ordinal) from tasks t where t.lender_id = c.lender_id and t.loan_id = c.loan_id
                  and t.episode = c.episode and t.step_id = :step_id), 0) as ordinal
from cases c join loans l using (lender_id, loan_id) join lenders b using (lender_id)
join strategies s on s.name = c.strategy and s.version = c.strategy_version
where c.lender_id = :lender_id and c.loan_id = :loan_id;

-- name: contacts_after
-- Contacts made to ask for money on the days after one.
select contact_id, channel, purpose, business_date as on from contacts
where lender_id = :lender_id and loan_id = :loan_id and direction = 'out' and business_date > :day
  and state in ('sending', 'sent', 'unknown')
  and (purpose in ('collect', 'reminder') or (purpose = 'statutory' and channel = 'letter'))
order by commit_order, contact_id;

-- name: contacts_since
-- Contacts made to ask for money since a moment; through one number or address alone where it is given.
select contact_id, channel, purpose, business_date as on from contacts
where lender_id = :lender_id and loan_id = :loan_id and direction = 'out' and sending_at >= :since
  and state in ('sending', 'sent', 'unknown') and (:value::text is null or contact_value = :value)
  and (purpose in ('collect', 'reminder') or (purpose = 'statutory' and channel = 'letter'))
order by commit_order, contact_id;

-- name: fees_since
-- Late fees of a day and later that stand.
select e.entry_id from ledger_lines e
where e.lender_id = :lender_id and e.loan_id = :loan_id and e.kind = 'late_fee' and e.status = 'settled'
  and e.value_date between :first and :today
  and e.amount > coalesce((select sum(r.amount) from ledger_lines r where r.lender_id = e.lender_id and r.loan_id = e.loan_id
                           and r.kind = 'reversal' and r.reverses = e.entry_id and r.status = 'settled'), 0)
order by e.value_date, e.entry_id;

-- name: suits_since
-- Suits filed since a moment.
select effect_id::text as effect_id from effects
where lender_id = :lender_id and loan_id = :loan_id and kind = 'suit' and opened_at >= :since order by effect_id;

-- name: open_remedy!
-- Hand out a remedy task with the list of what is to be put right.
insert into tasks (task_id, lender_id, loan_id, episode, step_id, ordinal, kind, owner, opened_at, deadline, data)
values (:task_id, :lender_id, :loan_id, :episode, :step_id, :ordinal, 'remedy', :owner, :now, :deadline, :data);

-- name: alert!
-- A case that is closed hands out no task: whoever runs this must look.
insert into alerts (kind, about, raised_at) values ('remedy', :about, :now) on conflict (kind, about) where cleared_at is null do nothing;
