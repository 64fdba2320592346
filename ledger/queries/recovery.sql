-- What `arrears recover` reads and writes (ledger/recovery.py).

-- name: under_way^
-- The recovery that is under way.
select recovery_id, began_at, lost_since, pressed from recoveries where ended_at is null;

-- name: is_stopped$
-- Whether somebody has stopped all contact.
select exists (select from stops where (lender_id, channel, strategy) = ('*', '*', '*') and released_order is null);

-- name: begin!
-- A recovery begins; without a time, what is lost came after the newest thing in the ledger.
insert into recoveries (lost_since, pressed) values (coalesce(:since::timestamptz, greatest(
    (select max(recorded_at) from case_events), (select max(posted_at) from entries), (select max(posted_at) from suspense),
    (select max(greatest(created_at, delivered_at)) from outbox)), 'epoch'), :pressed);

-- name: end!
-- It is over.
update recoveries set ended_at = now() where ended_at is null;

-- name: unknown_entries
-- Those entries that are not in the ledger.
select e.id from unnest(:ids::text[]) e (id)
where not exists (select from entries x where x.lender_id = :lender_id and x.entry_id = e.id)
  and not exists (select from suspense x where x.lender_id = :lender_id and x.entry_id = e.id) order by 1;

-- name: loan_there^
-- A loan, and its case if it has one.
select c.loan_id is not null as has_case, coalesce(c.open, false) as open
from loans l left join cases c using (lender_id, loan_id) where l.lender_id = :lender_id and l.loan_id = :loan_id;

-- name: strategy_there$
-- Whether a strategy is published.
select exists (select from strategies where name = :name and version = :version);

-- name: version_before$
-- A loan's newest ledger version at a moment of real time.
select coalesce(max(ledger_version), 0) from ledger_lines where lender_id = :lender_id and loan_id = :loan_id and posted_at <= :at;

-- name: write_back$
-- A contact that was made and lost; one that was only meant takes its place. It has no permit and no place in the order of commits.
insert into contacts (contact_id, lender_id, loan_id, episode, step_id, ordinal, channel, purpose, party_id, contact_value, state, template,
                      language, body, ledger_version, business_date, reserved_at, sending_at, sending_real, settled_at, carrier_id, reason, recovered)
values (:contact_id, :lender_id, :loan_id, :episode, :step_id, :ordinal, :channel, :purpose, :party_id, :contact_value, :state, :template,
        :language, :body, :version, :business_date, :at, :at, :real, :at, :carrier_id, :reason, :recovered)
on conflict (lender_id, loan_id, episode, step_id, ordinal) do update set
    state = excluded.state, contact_value = excluded.contact_value, body = coalesce(excluded.body, contacts.body),
    ledger_version = excluded.ledger_version, business_date = excluded.business_date, sending_at = excluded.sending_at,
    sending_real = excluded.sending_real, settled_at = excluded.settled_at, carrier_id = excluded.carrier_id,
    reason = excluded.reason, recovered = excluded.recovered
where contacts.state in ('reserved', 'cancelled') returning contact_id;

-- name: mark_task!
-- A task that was handed out and lost.
update tasks set recovered = :recovered where task_id = :task_id;

-- name: date_back!
-- A call or a visit that was told again belongs where it was told first.
update contacts set recovered = :recovered, commit_order = null, ledger_version = :version, sending_at = :at, sending_real = :real,
    business_date = :business_date
where lender_id = :lender_id and loan_id = :loan_id and channel in ('call', 'visit') and recovered is null and sending_real >= :began
  and (episode, step_id, ordinal) = (select episode, step_id, ordinal from tasks where task_id = :task_id);

-- name: in_the_air
-- Texts of which the carrier's answer is not known, though it may have them.
select contact_id, lender_id, loan_id, episode, step_id, ordinal, contact_value, reference, sending_real from contacts
where channel = 'sms' and direction = 'out' and state in ('sending', 'unknown') and carrier_id is null and reference is not null
  and sending_real >= :since order by sending_real, contact_id;

-- name: claimed
-- Messages and calls of the carrier's that contacts of the ledger name.
select carrier_id from contacts where carrier_id = any(:ids::text[])
union select carrier_id from voice_calls where carrier_id = any(:ids::text[]);

-- name: heard_before
-- Texts from people that the ledger has.
select carrier_id from inbound where carrier_id = any(:ids::text[]);

-- name: loans_of_number
-- The loans of whoever has a number, those with an open case first.
select l.lender_id, l.loan_id, l.borrower_id as party_id, p.language, coalesce(c.open, false) as open, c.loan_id is not null as has_case,
    coalesce(c.episode, 0) as episode
from contact_points n join loans l on l.lender_id = n.lender_id and l.borrower_id = n.party_id
join parties p on p.lender_id = n.lender_id and p.party_id = n.party_id
left join cases c on c.lender_id = l.lender_id and c.loan_id = l.loan_id
where n.value = :number order by open desc, l.lender_id, l.loan_id;

-- name: open_cases
-- Open cases, and when the ledger last wrote something of each, in real time.
select c.lender_id, c.loan_id, (select max(v.recorded_at) from case_events v where v.lender_id = c.lender_id and v.loan_id = c.loan_id) as last
from cases c where c.open order by c.lender_id, c.loan_id;

-- name: tell_again
-- What was delivered to open cases and never absorbed is delivered again: whoever took it has lost it.
update outbox o set delivered_at = null, result = null
where o.result = 'signalled' and exists (select from cases c where c.lender_id = o.lender_id and c.loan_id = o.loan_id and c.open)
  and not exists (
    select from case_events v where v.lender_id = o.lender_id and v.loan_id = o.loan_id
      and v.message_id ~ '^outbox-[0-9]+$' and substr(v.message_id, 8)::bigint >= o.id)
returning o.id;
