-- name: keep_rulebook!
-- A rulebook's content, once.
insert into rulebooks (digest, name, content) values (:digest, :name, :content) on conflict do nothing;

-- name: limitation^
-- What is known of the day on which a debt becomes time-barred.
select l.limitation_on,
    (select jsonb_agg(jsonb_build_object('kind', e.kind, 'happened_on', e.happened_on, 'until_on', e.until_on, 'years', e.years)
            order by e.happened_on, e.event_id)
     from limitation_events e where e.lender_id = l.lender_id and e.loan_id = l.loan_id) as limitation
from loans l where l.lender_id = :lender_id and l.loan_id = :loan_id;

-- name: rulebook$
-- A rulebook by its content's digest.
select content from rulebooks where digest = :digest;

-- name: facts^
-- Everything the gate sees of a contact that the case does not know, in one look after the locks.
select l.limitation_on, b.feed_hours, f.fed_at,
    array(select digest from rulebooks where digest = any(:digests::text[])) as kept,
    exists (select from suppressions s where s.lender_id = l.lender_id and s.channel = :channel and s.value = :value) as suppressed,
    exists (select from stops s where s.released_order is null and s.lender_id in ('*', l.lender_id)
            and s.channel in ('*', :channel) and s.strategy in ('*', :strategy)) as stopped,
    (select jsonb_build_object('kind', c.kind, 'source', c.source, 'status', c.status, 'zone', c.timezone, 'checked', c.reassigned_checked_on)
     from contact_points c where c.lender_id = l.lender_id and c.party_id = :party_id and c.value = :value
     order by c.kind limit 1) as point,
    array(select distinct c.timezone from contact_points c
          where c.lender_id = l.lender_id and c.party_id = :party_id and c.timezone is not null) as zones,
    (select jsonb_agg(jsonb_build_object('scope', c.scope, 'given_on', c.given_on, 'expires_on', c.expires_on, 'revoked_on', c.revoked_on)
            order by c.scope, c.given_on)
     from consents c where c.lender_id = l.lender_id and c.party_id = :party_id and c.contact_value in (:value, '')) as consents,
    (select jsonb_agg(jsonb_build_object('kind', n.kind, 'served_on', n.served_on) order by n.served_on, n.notice_id)
     from notices n where n.lender_id = l.lender_id and n.loan_id = l.loan_id) as notices,
    (select jsonb_agg(jsonb_build_object('kind', e.kind, 'happened_on', e.happened_on, 'until_on', e.until_on, 'years', e.years)
            order by e.happened_on, e.event_id)
     from limitation_events e where e.lender_id = l.lender_id and e.loan_id = l.loan_id) as limitation,
    (select max(e.value_date) from entries e where e.lender_id = l.lender_id and e.loan_id = l.loan_id
       and e.kind = 'payment' and e.status = 'pending'
       and not exists (select from entry_status_changes s where s.lender_id = e.lender_id and s.entry_id = e.entry_id)) as pending_on,
    (select min(c.sending_at) from contacts c where c.lender_id = l.lender_id and c.loan_id = l.loan_id
       and c.purpose = 'collect' and c.direction = 'out') as first_contact_at,
    (select jsonb_agg(jsonb_build_object('at', c.sending_at, 'channel', c.channel, 'purpose', c.purpose,
            'same_loan', c.loan_id = l.loan_id, 'same_value', c.contact_value is not distinct from :value,
            'same_party', c.party_id = :party_id, 'inbound', c.direction = 'in', 'connected', c.connected,
            'effective', c.effective, 'conversation', c.conversation) order by c.commit_order, c.contact_id)
     from contacts c where c.lender_id = l.lender_id and c.sending_at > :since and c.state in ('sending', 'sent', 'unknown')
       and c.contact_id is distinct from :own_contact and (c.party_id = :party_id or c.loan_id = l.loan_id or c.contact_value = :value)) as past,
    (select jsonb_agg(jsonb_build_object('kind', t.kind, 'same_loan', t.loan_id = l.loan_id) order by t.task_id)
     from tasks t
     where t.lender_id = l.lender_id and t.loan_id = any(own.loans) and t.status = 'open' and t.kind in ('call', 'callback', 'visit')
       and t.task_id is distinct from :own_task) as handed_out,
    array(select c.loan_id from cases c
          where c.open and c.lender_id = l.lender_id and c.loan_id = any(own.loans) and c.loan_id <> l.loan_id
            and c.cured_at is null and c.stage <> 'review' and not exists (
              select from holds h where h.lender_id = c.lender_id and h.subject_kind = 'loan' and h.subject_id = c.loan_id
                and 'contact' = any(h.scopes) and h.from_at <= :now and coalesce(least(h.until_at, h.released_at) > :now, true))
          order by c.loan_id) as rivals,
    (select max(p.due_on) from promises p
     where p.status = 'active' and p.lender_id = l.lender_id and p.loan_id = any(own.loans) and p.loan_id <> l.loan_id) as promised_elsewhere,
    (select jsonb_agg(jsonb_build_object('reason', h.reason, 'scopes', h.scopes, 'until', least(h.until_at, h.released_at)) order by h.hold_id)
     from holds h where h.lender_id = l.lender_id and h.subject_kind = 'person' and h.subject_id = :party_id
       and h.subject_id <> l.borrower_id and h.from_at <= :now and coalesce(least(h.until_at, h.released_at) > :now, true)) as party_holds
from loans l join lenders b using (lender_id) left join feeds f using (lender_id)
-- The person's loans first, and then what each has: joined, it may go through all that the lender has open.
cross join lateral (select array(select o.loan_id from loans o where o.lender_id = l.lender_id and o.borrower_id = l.borrower_id) as loans) own
where l.lender_id = :lender_id and l.loan_id = :loan_id;

-- name: feed_came!
-- A lender's payment feed came.
insert into feeds (lender_id, fed_at) values (:lender_id, :now)
on conflict (lender_id) do update set fed_at = greatest(feeds.fed_at, excluded.fed_at);

-- name: serve_notice!
-- A notice was served; by its own id once.
insert into notices (notice_id, lender_id, loan_id, party_id, kind, served_on, method, proof, amounts, contact_id)
values (:notice_id, :lender_id, :loan_id, :party_id, :kind, :served_on, :method, :proof, :amounts, :contact_id) on conflict do nothing;

-- name: lender_known$
-- Whether there is such a lender.
select lender_id from lenders where lender_id = :lender_id;

-- name: promise_feed!
-- How old the lender's payment feed may be; null where nobody waits for it.
update lenders set feed_hours = :hours where lender_id = :lender_id;

-- name: feed_of^
-- When a lender's feeds came: its payments, its last tape, its last balances file; and how old the first may be.
select b.lender_id, f.fed_at, f.tape_at, f.balances_at, b.feed_hours from lenders b left join feeds f using (lender_id) where b.lender_id = :lender_id;

-- name: rules_of_lender^
-- The rulebooks that a lender's settings name, by country, and the rules that it switched on beyond the defaults.
select packs, chosen_rules from lenders where lender_id = :lender_id;

-- name: choose_rule$
-- A lender switches a rule on; what it has chosen then.
update lenders set chosen_rules = array(select distinct unnest(chosen_rules || :rule::text) order by 1)
where lender_id = :lender_id returning chosen_rules;

-- name: drop_rule$
-- A lender switches a rule off again that it had chosen; what it has chosen then.
update lenders set chosen_rules = array_remove(chosen_rules, :rule::text)
where lender_id = :lender_id returning chosen_rules;

-- name: loans_by_law
-- How many loans of a lender stand under which law.
select country, governing_law, purpose, creditor_role, count(*) as loans
from loans where lender_id = :lender_id
group by 1, 2, 3, 4 order by 1, 2 nulls first, 3, 4;
