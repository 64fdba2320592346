-- name: record_step!
-- Write or bring up to date one attempt at a step.
insert into steps (lender_id, loan_id, episode, step_id, ordinal, state, result, began_at, ended_at)
values (:lender_id, :loan_id, :episode, :step_id, :ordinal, :state, :result, :now, case when :state::text = 'open' then null else :now::timestamptz end)
on conflict (lender_id, loan_id, episode, step_id, ordinal) do update set
    state = excluded.state, result = excluded.result, ended_at = excluded.ended_at;

-- name: list_tasks
-- Tasks for the command line, the most urgent first.
select t.task_id, t.lender_id, t.loan_id, t.episode, t.kind, t.status, t.step_id, t.owner, t.approval, t.opened_at, t.deadline, t.outcome,
    case when t.kind = 'remedy' then t.data end as to_put_right, t.data ->> 'because' as because
from tasks t
where t.status = any(:states::text[]) and (:lender_id::text is null or t.lender_id = :lender_id)
order by t.deadline, t.task_id limit :most;

-- name: task^
-- One task, whatever its state.
select * from tasks where task_id = :task_id;

-- name: open_task!
-- Hand out a task.
insert into tasks (task_id, lender_id, loan_id, episode, step_id, ordinal, kind, owner, approval, permit, opened_at, deadline)
values (:task_id, :lender_id, :loan_id, :episode, :step_id, :ordinal, :kind, :owner, :approval, :permit, :now, :deadline);

-- name: say_why!
-- Why a task was handed out, for whoever answers it.
update tasks set data = data || jsonb_build_object('because', :because::text) where task_id = :task_id;

-- name: answer_task!
-- What the task brought, beside what it was handed out with; it stays `answered` while a second pair of eyes is still due.
update tasks set status = :status, outcome = :outcome, data = data || :data::jsonb, answered_by = :answered_by, approved_by = :approved_by,
    ended_at = case when :status::text = 'done' then :now::timestamptz end
where task_id = :task_id;

-- name: end_task!
-- A task that nobody needs to answer any more.
update tasks set status = :status, ended_at = :now, end_reason = :reason
where task_id = :task_id and status in ('open', 'answered');

-- name: extend_task!
-- A task that lasts gets a new deadline when it missed one.
update tasks set deadline = :deadline where task_id = :task_id;

-- name: reassign_task!
-- Another person does it.
update tasks set owner = :owner where task_id = :task_id and lender_id = :lender_id and loan_id = :loan_id;

-- name: open_effect!
-- On record before it happens.
insert into effects (lender_id, loan_id, episode, step_id, ordinal, kind, task_id, opened_at)
values (:lender_id, :loan_id, :episode, :step_id, :ordinal, :kind, :task_id, :now)
on conflict (lender_id, loan_id, episode, step_id, ordinal, kind) do nothing;

-- name: end_effect!
-- Undone, or over.
update effects set state = 'ended', ended_at = :now, end_reason = :reason
where effect_id = :effect_id and state <> 'ended';

-- name: end_effect_of_task!
-- Over with its task.
update effects set state = 'ended', ended_at = :now, end_reason = :reason
where task_id = :task_id and lender_id = :lender_id and loan_id = :loan_id and state <> 'ended';

-- name: hand_effect_to_counsel!
-- A letter or a suit is not undone by machine: a person has it now.
update effects set state = 'with_counsel', task_id = :task_id where effect_id = :effect_id;

-- name: take_request!
-- A person was asked to see to it.
update requests set taken_at = :now where request_id = :request_id and taken_at is null;
