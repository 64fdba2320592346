-- name: contacts_of
-- The contacts of a loan, with their permits and texts, and the ids that the carrier named: the message's or call's, and such as must not be.
select c.*, coalesce(c.carrier_id, v.carrier_id) as taken_as, l.country, array(
    select split_part(a.about, ' ', 2) from alerts a
    where a.kind = 'second_message' and split_part(a.about, ' ', 1) = c.contact_id
    union
    select v.carrier_id where v.carrier_id <> c.carrier_id
    order by 1) as also_taken_as
from contacts c join loans l using (lender_id, loan_id) left join voice_calls v using (contact_id)
where c.lender_id = :lender_id and c.loan_id = :loan_id
order by c.reserved_at, c.contact_id;

-- name: judged_events
-- What the gate put off or forbade before there was a contact or a task, with the ledger version that it saw.
select e.id, e.at, e.kind, e.data,
    coalesce((select max(n.ledger_version) from ledger_lines n
              where n.lender_id = e.lender_id and n.loan_id = e.loan_id and n.posted_at <= e.recorded_at), 0) as ledger_version
from case_events e
where e.lender_id = :lender_id and e.loan_id = :loan_id and e.kind in ('deferred', 'forbidden', 'shadowed')
order by e.id;

-- name: judged_tasks
-- Tasks that the gate let pass, with the ledger version that it saw.
select t.task_id, t.step_id, t.kind, t.status, t.outcome, t.permit, t.opened_at, t.end_reason,
    (select coalesce((select max(n.ledger_version) from ledger_lines n
                      where n.lender_id = e.lender_id and n.loan_id = e.loan_id and n.posted_at <= e.recorded_at), 0)
     from case_events e where e.lender_id = t.lender_id and e.loan_id = t.loan_id
       and e.kind = 'task_opened' and e.data ->> 'task_id' = t.task_id order by e.id limit 1) as ledger_version
from tasks t
where t.lender_id = :lender_id and t.loan_id = :loan_id and t.permit is not null
order by t.opened_at, t.task_id;

-- name: zone_and_currency^
-- What amounts and business dates of a loan are read in.
select l.currency, b.timezone from loans l join lenders b using (lender_id) where l.lender_id = :lender_id and l.loan_id = :loan_id;
