-- name: open_case!
-- Begin a case, or a closed one again as its next episode; where the lender's own error brought it back, that is put right first.
insert into cases (lender_id, loan_id, workflow_id, strategy, strategy_version, opened_at, episode_at)
values (:lender_id, :loan_id, :workflow_id, :strategy, :strategy_version, :now, :now)
on conflict (lender_id, loan_id) do update set
    episode = cases.episode + 1, chain_from = cases.episode + 1,
    relapse = case when cases.episode = 0 then null when exists (
        select from payments_taken_back b
        where b.lender_id = cases.lender_id and b.loan_id = cases.loan_id and b.misposted
          and b.paid_version <= cases.cured_version and b.taken_back_version > cases.cured_version) then 'misposted' else 'arrears' end,
    opened_at = case when cases.episode = 0 then excluded.opened_at else cases.opened_at end,
    strategy = excluded.strategy, strategy_version = excluded.strategy_version,
    stage = 'new', open = true, episode_at = excluded.episode_at, cured_at = null, cured_version = null,
    closing = null, closed_at = null, next_step = null;

-- name: record_decision!
-- What the case does next, as operators and `arrears case` read it.
update cases set stage = :stage, next_step = :next_step where lender_id = :lender_id and loan_id = :loan_id;

-- name: note_cure!
-- The day the reason to collect ended, and the ledger version that ended it.
update cases set cured_at = :now, cured_version = :version where lender_id = :lender_id and loan_id = :loan_id;

-- name: begin_episode!
-- Past due again after a cure.
update cases set episode = :episode, chain_from = :chain_from, relapse = :relapse, episode_at = :now, cured_at = null, cured_version = null
where lender_id = :lender_id and loan_id = :loan_id;

-- name: ask_to_close!
-- Somebody wants the case closed; it undoes first.
update cases set closing = :reason where lender_id = :lender_id and loan_id = :loan_id;

-- name: close_case!
-- The end of the case.
update cases set open = false, closed_at = :now, next_step = null where lender_id = :lender_id and loan_id = :loan_id;

-- name: closed_by_hand^
-- The case that somebody closed, and why; none where it ended by itself or goes on.
select closing, closed_at from cases where lender_id = :lender_id and loan_id = :loan_id and not open and closing is not null;

-- name: forget_closing!
-- What a closed case was closed for is over: the lender gave the loan back, or somebody takes it up again.
update cases set closing = null where lender_id = :lender_id and loan_id = :loan_id and not open;

-- name: hand_to!
-- Give the case to a collector.
update cases set collector = :collector where lender_id = :lender_id and loan_id = :loan_id;

-- name: journal!
-- One more line of the case's story; a message that is in it already is not written again.
insert into case_events (lender_id, loan_id, episode, at, kind, message_id, data)
values (:lender_id, :loan_id, :episode, :at, :kind, :message_id, :data)
on conflict (lender_id, loan_id, message_id) where message_id is not null do nothing;

-- name: absorbed$
-- What was answered to a message that was absorbed before.
select data from case_events where lender_id = :lender_id and loan_id = :loan_id and message_id = :message_id;

-- name: events
-- The journal of a case, oldest first.
select id, episode, at, kind, data from case_events where lender_id = :lender_id and loan_id = :loan_id order by id;

-- name: reversal_reason$
-- Why the case fell back after its cure: payments that stood at the version that cured it came back since. The lender's own error, one
-- among any number of returns, goes before all: nobody is contacted for it. Null where none came back.
select case when bool_or(misposted) then 'misposted' else 'bounce' end from payments_taken_back
where lender_id = :lender_id and loan_id = :loan_id and paid_version <= :version and taken_back_version > :version
  and value_date <= :today having count(*) > 0;

-- name: due_loans
-- A page of loans that may owe what is due and have no open case, and of cases whose workflow has not decided anything yet.
-- Most loans are paid up, and reading each one's position would take hours for a million. Where all that came is plain settled money of
-- days that are over everywhere, and it is spent on the oldest first, sums alone show that nothing is due. Money from before an opening
-- balance may have been spent on what was to come: that loan is read.
select l.lender_id, l.loan_id, coalesce(c.open, false) as has_case
from loans l
left join cases c using (lender_id, loan_id)
where (l.lender_id, l.loan_id) > (:after_lender, :after_loan)
  and (:lender::text is null or l.lender_id = :lender)
  and (:loan::text is null or l.loan_id = :loan)
  and l.status = 'active'
  and (not coalesce(c.open, false) or c.next_step is null)
  and (exists (
      select from instalments i
      where i.lender_id = l.lender_id and i.loan_id = l.loan_id and i.due_on < :today::date
      offset 0  -- looked up loan by loan: gathered beforehand, as it could be otherwise, all that is due would be read for each page
  ) or exists (
      select from entries e
      where e.lender_id = l.lender_id and e.loan_id = l.loan_id and e.value_date < :today::date
        and e.kind in ('opening_balance', 'adjustment', 'refund', 'accelerate')  -- what ages by itself
        and (e.kind <> 'opening_balance' or e.reason is distinct from 'not_due')
      offset 0
  ))
  and not exists (
      select from lenders b
      where b.lender_id = l.lender_id and c.loan_id is null
        and coalesce(l.waterfall, b.waterfall) = 'default'
        and not coalesce(l.daily_interest, b.daily_interest) and not coalesce(l.penalty_interest, b.penalty_interest)
        and not exists (select from disputed_parts d where d.lender_id = l.lender_id and d.loan_id = l.loan_id)
        and (select bool_and((e.kind in ('payment', 'opening_balance') or e.reverses = 'opening/' || e.loan_id || '/rest')
                             and e.status = 'settled' and e.component is null and e.instalment is null and e.direction is null)
                 and coalesce(min(e.value_date) filter (where e.kind = 'payment')
                              >= max(e.value_date) filter (where e.kind = 'opening_balance'), true)
                 and coalesce(sum(e.amount) filter (where e.kind = 'payment' and e.value_date < :today::date - 2), 0)
                   >= coalesce(sum(e.amount) filter (where e.kind = 'opening_balance' and e.reason is distinct from 'not_due'), 0)
                    + coalesce((select sum(i.principal + i.interest + i.fee) from instalments i
                                where i.lender_id = l.lender_id and i.loan_id = l.loan_id and i.due_on < :today::date), 0)
             from entries e
             where e.lender_id = l.lender_id and e.loan_id = l.loan_id)
  )
order by l.lender_id, l.loan_id
limit :page;

-- name: case_counts
-- Open cases by stage.
select stage, count(*) as cases from cases where open group by stage order by stage;
