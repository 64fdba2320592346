-- name: reserve!
-- Mean to make a contact; its key is unique, so a retry finds this row again.
insert into contacts (contact_id, lender_id, loan_id, episode, step_id, ordinal, channel, purpose, party_id, contact_value, state,
                      template, language, body, reference, reserved_at)
values (:contact_id, :lender_id, :loan_id, :episode, :step_id, :ordinal, :channel, :purpose, :party_id, :contact_value, 'reserved',
        :template, :language, :body, :reference, :now)
on conflict (lender_id, loan_id, episode, step_id, ordinal) do nothing;

-- name: revive!
-- A contact that was overtaken by events is meant again.
update contacts set state = 'reserved', reason = null, settled_at = null where contact_id = :contact_id and state = 'cancelled';

-- name: aim!
-- The number or address that counts now; it may have changed since the contact was meant.
update contacts set contact_value = :value where contact_id = :contact_id and state = 'reserved';

-- name: on_their_way
-- Contacts of a loan of which the carrier's answer is not known yet.
select contact_id, episode, step_id, ordinal from contacts
where lender_id = :lender_id and loan_id = :loan_id and state = 'sending';

-- name: contact_of_step^
-- The contact that a step's attempt made or means to make.
select * from contacts
where lender_id = :lender_id and loan_id = :loan_id and episode = :episode and step_id = :step_id and ordinal = :ordinal;

-- name: contact^
-- One contact.
select * from contacts where contact_id = :contact_id;

-- name: begin_sending$
-- This commit is the contact: from here it may have reached the person, and it is never sent again.
update contacts set state = 'sending', permit = :permit, ledger_version = :version, commit_order = nextval('commit_order'),
    business_date = :business_date, sending_at = :now, sending_real = clock_timestamp(), body = coalesce(:body, body)
where contact_id = :contact_id and state = 'reserved' returning contact_id;

-- name: settle!
-- What became of it.
update contacts set state = :state, carrier_id = coalesce(:carrier_id, carrier_id), error_code = :error_code, reason = :reason, settled_at = :now
where contact_id = :contact_id and state in ('sending', 'unknown');

-- name: drop!
-- It will not be made: forbidden, shadowed, or no longer wanted.
update contacts set state = :state, permit = :permit, reason = :reason, settled_at = :now, ledger_version = :version
where contact_id = :contact_id and state = 'reserved';

-- name: record_by_hand!
-- A call or a visit that a person made, under the permit its task was opened with.
insert into contacts (contact_id, lender_id, loan_id, episode, step_id, ordinal, channel, purpose, party_id, contact_value, state,
                      permit, ledger_version, commit_order, business_date, reserved_at, sending_at, sending_real, settled_at, reason)
values (:contact_id, :lender_id, :loan_id, :episode, :step_id, :ordinal, :channel, 'collect', :party_id, :contact_value, 'sent',
        :permit, :version, nextval('commit_order'), :business_date, :now, :now, clock_timestamp(), :now, :outcome)
on conflict (lender_id, loan_id, episode, step_id, ordinal) do nothing;

-- name: past_contacts
-- Contacts with a person over all loans and channels that count against limits.
select sending_at as at, channel, purpose, loan_id, contact_value from contacts
where lender_id = :lender_id and party_id = :party_id and state in ('sending', 'sent', 'unknown') and sending_at > :since
order by sending_at;

-- name: counts
-- Contacts by channel over all episodes: `sending` and later.
select channel, count(*) as contacts from contacts
where lender_id = :lender_id and loan_id = :loan_id and state in ('sending', 'sent', 'unknown', 'failed') group by channel;

-- name: suppressed$
-- Whether a number asked us to stop on a channel.
select exists (select from suppressions where lender_id = :lender_id and channel = :channel and value = :value);

-- name: suppress!
-- Never again on this channel.
insert into suppressions (lender_id, channel, value, since, reason) values (:lender_id, :channel, :value, :since, :reason)
on conflict do nothing;

-- name: unsuppress!
-- The number asked for texts again.
delete from suppressions where lender_id = :lender_id and channel = :channel and value = :value;

-- name: mark_point!
-- A number or address that does not work, or belongs to somebody else.
update contact_points set status = :status where lender_id = :lender_id and party_id = :party_id and value = :value;

-- name: stopped$
-- Whether the stop button is pressed for this lender, channel or strategy.
select exists (select from stops where lender_id in ('*', :lender_id) and channel in ('*', :channel) and strategy in ('*', :strategy));

-- name: stop!
-- Press the button.
insert into stops (lender_id, channel, strategy, reason) values (:lender_id, :channel, :strategy, :reason) on conflict do nothing;

-- name: go!
-- Release it.
delete from stops where lender_id = :lender_id and channel = :channel and strategy = :strategy;

-- name: list_stops
-- What is stopped.
select lender_id, channel, strategy, stopped_at, reason from stops order by 1, 2, 3;

-- name: set_mode!
-- Shadow or live.
update lenders set mode = :mode where lender_id = any(:lenders::text[]);

-- name: borrower^
-- The borrower and the number that texts go to.
select p.party_id, p.name, p.kind, p.language, l.currency, b.name as lender_name,
    (select c.value from contact_points c
     where c.lender_id = l.lender_id and c.party_id = l.borrower_id and c.kind = 'mobile' and c.status = 'active' order by c.value limit 1) as mobile,
    (select c.value from contact_points c
     where c.lender_id = l.lender_id and c.party_id = l.borrower_id and c.kind = 'address' and c.status = 'active' order by c.value limit 1) as address
from loans l join parties p on p.lender_id = l.lender_id and p.party_id = l.borrower_id
join lenders b on b.lender_id = l.lender_id
where l.lender_id = :lender_id and l.loan_id = :loan_id;

-- name: keep_letter!
-- The letter itself, as it went out.
insert into letters (contact_id, pdf, digest) values (:contact_id, :pdf, :digest) on conflict (contact_id) do nothing;

-- name: carrier_said^
-- A delivery receipt. One for a contact still in `sending` leaves the state to the activity that waits for the answer.
update contacts set carrier_status = :status, error_code = coalesce(:error_code, error_code), carrier_id = coalesce(carrier_id, :carrier_id),
    state = case when state = 'unknown' then 'sent' else state end
where contact_id = :contact_id returning lender_id, loan_id, party_id, contact_value, state;
