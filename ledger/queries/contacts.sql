-- name: reserve^
-- Mean to make a contact: its row, or nothing where there is one already; its key is unique, so a retry finds that again.
insert into contacts (contact_id, lender_id, loan_id, episode, step_id, ordinal, channel, purpose, party_id, contact_value, state,
                      template, language, body, reference, reserved_at)
values (:contact_id, :lender_id, :loan_id, :episode, :step_id, :ordinal, :channel, :purpose, :party_id, :contact_value, 'reserved',
        :template, :language, :body, :reference, :now)
on conflict (lender_id, loan_id, episode, step_id, ordinal) do nothing returning *;

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
update contacts set state = :state, permit = :permit, reason = :reason, settled_at = :now, ledger_version = :version,
    body = coalesce(:body, body)
where contact_id = :contact_id and state = 'reserved';

-- name: record_by_hand!
-- A call or a visit that a person made, under the permit its task was opened with.
insert into contacts (contact_id, lender_id, loan_id, episode, step_id, ordinal, channel, purpose, party_id, contact_value, state,
                      permit, ledger_version, commit_order, business_date, reserved_at, sending_at, sending_real, settled_at, reason,
                      outcome, connected, effective, conversation, cost, minutes)
values (:contact_id, :lender_id, :loan_id, :episode, :step_id, :ordinal, :channel, :purpose, :party_id, :contact_value, 'sent',
        :permit, :version, nextval('commit_order'), :business_date, :now, :now, clock_timestamp(), :now, :outcome,
        :outcome, :connected, :effective, :conversation, :cost, :minutes)
on conflict (lender_id, loan_id, episode, step_id, ordinal) do nothing;

-- name: counts
-- Contacts by channel over all episodes: `sending` and later.
select channel, count(*) as contacts from contacts
where lender_id = :lender_id and loan_id = :loan_id and state in ('sending', 'sent', 'unknown', 'failed') group by channel;

-- name: suppress!
-- Never again on this channel.
insert into suppressions (lender_id, channel, value, since, reason) values (:lender_id, :channel, :value, :since, :reason)
on conflict do nothing;

-- name: unsuppress!
-- The number asked for texts again.
delete from suppressions where lender_id = :lender_id and channel = :channel and value = :value;

-- name: opted_out$
-- Whether one of these numbers asked to be left alone on a channel.
select exists (select from suppressions where lender_id = :lender_id and channel = :channel and value = any(:values::text[]));

-- name: mark_point!
-- A number or address that does not work, or belongs to somebody else.
update contact_points set status = :status where lender_id = :lender_id and party_id = :party_id and value = :value;

-- name: set_mode!
-- Shadow or live. Who comes out of shadow charges no late fee for the days in it.
update lenders set mode = :mode, late_fee_since = case when mode = 'shadow' and :mode::text = 'live' and late_fee_since is not null
    then greatest(late_fee_since, (:now::timestamptz at time zone timezone)::date) else late_fee_since end
where lender_id = any(:lenders::text[]);

-- name: keep_letter!
-- The letter itself, as it went out.
insert into letters (contact_id, pdf, digest) values (:contact_id, :pdf, :digest) on conflict (contact_id) do nothing;

-- name: carrier_said^
-- A delivery receipt. One for a contact still in `sending` leaves the state to the activity that waits for the answer.
update contacts set carrier_status = :status, error_code = coalesce(:error_code, error_code), carrier_id = coalesce(carrier_id, :carrier_id),
    state = case when state = 'unknown' then 'sent' else state end
where contact_id = :contact_id returning lender_id, loan_id, party_id, contact_value, state;

-- name: raise_alert!
-- Something must be looked at by whoever runs this; once while it lasts.
insert into alerts (kind, about, raised_at) values (:kind, :about, :now) on conflict (kind, about) where cleared_at is null do nothing;

-- name: alerts
-- What must be looked at.
select alert_id, kind, about, raised_at from alerts where cleared_at is null order by raised_at, alert_id;

-- name: clear_alert$
-- It was looked at.
update alerts set cleared_at = :now where alert_id = :alert_id and cleared_at is null returning alert_id;
