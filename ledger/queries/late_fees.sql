-- name: our_fees
-- The fees that the lender's policy made on a loan here, with what is left of each; older releases gave them other ids.
select e.entry_id, e.instalment, e.currency, e.value_date, e.amount - t.taken_back as left
from entries e cross join lateral (
    select coalesce(sum(r.amount), 0) as taken_back from entries r left join entry_status_changes c using (lender_id, entry_id)
    where r.lender_id = e.lender_id and r.loan_id = e.loan_id and r.reverses = e.entry_id and r.kind = 'reversal'
      and coalesce(c.status, r.status) <> 'returned'
) t
where e.lender_id = :lender_id and e.loan_id = :loan_id and e.kind = 'late_fee' and e.source = 'policy'
  and e.entry_id in (format('policy/fee/%s/%s', e.loan_id, e.instalment), format('fee-%s-%s', e.loan_id, e.instalment))
  and e.amount > t.taken_back;

-- name: staged_beside_ours
-- The tape's settled late fees, of loans on which the lender's policy charged one too.
select jsonb_strip_nulls(to_jsonb(s) - array['line', 'malformed', 'raw']) as entry from staged_entries s
where s.kind = 'late_fee' and s.status = 'settled'
  and (s.lender_id, s.loan_id) in (select lender_id, loan_id from entries where kind = 'late_fee' and source = 'policy')
order by s.line;

-- name: charged_twice
-- Fees of ours that stand beside another late fee for the same instalment: one that names it, or names none and came after it fell due and
-- before the next did.
with standing as (
    select e.lender_id, e.loan_id, e.entry_id,
           e.source = 'policy' and e.entry_id in (format('policy/fee/%s/%s', e.loan_id, e.instalment),
                                                  format('fee-%s-%s', e.loan_id, e.instalment)) as ours,
           coalesce(e.instalment, (
               select i.number from instalments i where i.lender_id = e.lender_id and i.loan_id = e.loan_id and i.due_on < e.value_date
               order by i.due_on desc, i.number desc limit 1)) as instalment
    from ledger_lines e
    where e.kind = 'late_fee' and e.status = 'settled'
      and (e.lender_id, e.loan_id) in (select lender_id, loan_id from entries where kind = 'late_fee' and source = 'policy')
      and e.amount > coalesce((
          select sum(r.amount) from ledger_lines r
          where r.lender_id = e.lender_id and r.loan_id = e.loan_id and r.reverses = e.entry_id and r.kind = 'reversal'
            and r.status = 'settled'), 0)
)
select o.lender_id, o.loan_id, o.entry_id, o.instalment, t.entry_id as other
from standing o join standing t using (lender_id, loan_id, instalment)
where o.ours and not coalesce(t.ours, false)
order by o.lender_id, o.loan_id, o.instalment;
