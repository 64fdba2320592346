-- name: begin_call!
-- A call has a state from its first sign on.
insert into voice_calls (contact_id, carrier_id) values (:contact_id, :carrier_id) on conflict (contact_id) do nothing;

-- name: lock_call^
-- Where a call stands, held until what follows is written.
select carrier_id, state from voice_calls where contact_id = :contact_id for update;

-- name: keep_call!
-- Where it stands now.
update voice_calls set state = :state where contact_id = :contact_id;

-- name: mark_contact!
-- What the call has brought so far: whom it reached, what was said, how it ended.
update contacts set carrier_id = coalesce(carrier_id, :carrier_id), body = :body, outcome = coalesce(:outcome, outcome),
    connected = connected or :connected, effective = effective or :effective, conversation = conversation or :conversation,
    state = case when state = 'unknown' then 'sent' else state end
where contact_id = :contact_id;

-- name: close_contact!
-- The line is gone: what the carrier says last, and how long it took.
update contacts set carrier_status = :status, minutes = :minutes, error_code = coalesce(:error_code, error_code) where contact_id = :contact_id;

-- name: whom^
-- The person who is called, as the words need it.
select p.name, p.language, l.currency, l.creditor_role, b.name as lender_name, coalesce(
    (select c.timezone from contact_points c
     where c.lender_id = l.lender_id and c.party_id = p.party_id and c.timezone is not null
     order by (c.value = :number) desc, (c.status = 'active') desc, c.kind, c.value limit 1), b.timezone) as zone
from loans l join lenders b using (lender_id)
join parties p on p.lender_id = l.lender_id and p.party_id = :party_id
where l.lender_id = :lender_id and l.loan_id = :loan_id;

-- name: postcodes
-- What the right person can type in.
select distinct postcode from contact_points
where lender_id = :lender_id and party_id = :party_id and kind = 'address' and status = 'active' and postcode is not null;

-- name: ask!
-- Somebody asked for something that a person must see to; asked twice it is one request.
insert into requests (request_id, lender_id, loan_id, kind, channel, asked_at)
values (:request_id, :lender_id, :loan_id, :kind, 'voice', :now) on conflict (request_id) do nothing;

-- name: known_calls
-- Of these calls of the carrier's, those that belong to a contact.
select carrier_id from contacts where carrier_id = any(:ids::text[]) and contact_id <> :contact_id;
