-- name: facts_of_case^
-- A case and all that its decisions depend on, in one look: many small ones cost more in travel than in work.
-- Each list is an array of rows. A row's columns stand in the order of the fields of what ledger/facts.py makes of it.
select c.workflow_id, c.strategy, c.strategy_version, s.digest as strategy_digest, c.stage, c.open, c.episode, c.chain_from, c.episode_at,
    c.relapse, c.cured_at, c.closing, c.collector, l.country, l.governing_law, l.purpose, l.creditor_role, l.currency, l.borrower_id, l.ledger_version,
    b.name as lender_name, b.timezone as lender_zone, b.mode, b.packs, b.chosen_rules,
    t.tolerance, t.materiality, t.waterfall, t.day_count, t.annual_rate, t.penalty_rate, t.opened_on, t.disputed,
    (select p.timezone from contact_points p
     where p.lender_id = l.lender_id and p.party_id = l.borrower_id and p.timezone is not null
     order by (p.status = 'active') desc, p.kind, p.value limit 1) as contact_zone,
    (select t.outcome from tasks t
     where t.lender_id = l.lender_id and t.loan_id = l.loan_id and t.episode >= c.chain_from and t.kind = 'pre_legal_review'
       and t.status = 'done'
     order by t.ended_at desc limit 1) as review,
    array(select row (i.number, i.due_on, i.principal, i.interest, i.fee) from instalments i
          where i.lender_id = l.lender_id and i.loan_id = l.loan_id order by i.number) as instalments,
    array(select row (e.entry_id, e.kind, e.amount, e.value_date, e.reverses, e.status, e.reason, e.ledger_version,
                     e.component, e.instalment, e.direction) from ledger_lines e
          where e.lender_id = l.lender_id and e.loan_id = l.loan_id order by e.ledger_version) as entries,
    array(select row (a.step_id, a.episode, a.ordinal, a.state, a.began_at, a.ended_at, a.result) from steps a
          where a.lender_id = l.lender_id and a.loan_id = l.loan_id order by a.episode, a.step_id, a.ordinal) as steps,
    array(select row (t.task_id, t.kind, t.step_id, t.episode, t.ordinal, t.status, t.opened_at, t.deadline, t.approval) from tasks t
          where t.lender_id = l.lender_id and t.loan_id = l.loan_id and t.status in ('open', 'answered')
          order by t.opened_at, t.task_id) as tasks,
    array(select row (e.effect_id, e.kind, e.step_id, e.episode, e.ordinal, e.state, e.task_id, e.opened_at) from effects e
          where e.lender_id = l.lender_id and e.loan_id = l.loan_id and e.state <> 'ended' order by e.effect_id) as effects,
    array(select row (h.hold_id, h.subject_kind, h.subject_id, h.reason, h.scopes, h.from_at, h.until_at, h.released_at) from holds h
          where h.lender_id = l.lender_id and (
              (h.subject_kind = 'loan' and h.subject_id = l.loan_id)
              or (h.subject_kind = 'person' and h.subject_id = l.borrower_id)
              or (h.subject_kind = 'contact_point' and h.subject_id in (
                  select p.value from contact_points p where p.lender_id = l.lender_id and p.party_id = l.borrower_id)))
          order by h.from_at, h.hold_id) as holds,
    array(select row (p.captured_version, p.promise_id, p.amount, p.due_on, p.status, p.captured_at, p.judged_at) from promises p
          where p.lender_id = l.lender_id and p.loan_id = l.loan_id order by p.captured_at, p.promise_id) as promises,
    array(select row (p.captured_version, p.plan_id, p.instalments, p.status, p.agreed_at, p.judged_at) from plans p
          where p.lender_id = l.lender_id and p.loan_id = l.loan_id order by p.agreed_at, p.plan_id) as plans,
    array(select row (r.request_id, r.kind, r.asked_at) from requests r
          where r.lender_id = l.lender_id and r.loan_id = l.loan_id and r.taken_at is null order by r.asked_at, r.request_id) as requests,
    -- Whom a contact can go to, and where: of each kind the first number or address that is in use and not held.
    array(select row (w.role, w.liable, w.may_discuss, w.since, w.until, p.party_id, p.name, p.language, v.mobile, v.landline, v.address)
          from (select 'borrower' as role, true as liable, true as may_discuss, null::date as since, null::date as until, l.borrower_id as party_id
                union all
                select o.role, o.liable, o.may_discuss, o.since, o.until, o.party_id from loan_parties o
                where o.lender_id = l.lender_id and o.loan_id = l.loan_id and o.role <> 'borrower') w
          join parties p on p.lender_id = l.lender_id and p.party_id = w.party_id
          cross join lateral (
              select min(c.value) filter (where c.kind = 'mobile') as mobile, min(c.value) filter (where c.kind = 'landline') as landline,
                  min(c.value) filter (where c.kind = 'address') as address
              from contact_points c
              where c.lender_id = l.lender_id and c.party_id = w.party_id and c.status = 'active' and not exists (
                  select from holds h where h.lender_id = c.lender_id and h.subject_kind = 'contact_point' and h.subject_id = c.value
                    and 'contact' = any(h.scopes) and h.from_at <= :now and coalesce(least(h.until_at, h.released_at) > :now, true))) v
          order by w.role, w.party_id) as people
from cases c
join loans l using (lender_id, loan_id)
join lenders b using (lender_id)
join loan_terms t using (lender_id, loan_id)
join strategies s on s.name = c.strategy and s.version = c.strategy_version
where c.lender_id = :lender_id and c.loan_id = :loan_id;
