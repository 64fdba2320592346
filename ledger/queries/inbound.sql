-- name: keep_inbound$
-- A text that came in; one that came before gives nothing back.
insert into inbound (carrier_id, sender, body, about, received_at) values (:carrier_id, :sender, :body, :about, :now)
on conflict do nothing returning carrier_id;

-- name: keep_answer!
-- What was said back in the same exchange.
update inbound set answer = :answer where carrier_id = :carrier_id;

-- name: people_of
-- Who has this number, of all lenders.
select distinct p.lender_id, p.party_id, p.language, b.name as lender_name
from contact_points c join parties p using (lender_id, party_id) join lenders b using (lender_id)
where c.value = :number order by p.lender_id, p.party_id;

-- name: ask!
-- Somebody asked for something that a person must see to; asked twice it is one request.
insert into requests (request_id, lender_id, loan_id, kind, channel, asked_at)
values (:request_id, :lender_id, :loan_id, :kind, :channel, :now) on conflict (request_id) do nothing;

-- name: lock_people_of
-- The people who have this number, and the borrowers they stand beside; in the order of locks.
select party_id from parties where (lender_id, party_id) in (
    select lender_id, party_id from contact_points where value = :number
    union
    select l.lender_id, l.borrower_id from contact_points c
    join loan_parties p using (lender_id, party_id)
    join loans l on l.lender_id = p.lender_id and l.loan_id = p.loan_id
    where c.value = :number)
order by lender_id, party_id for update;

-- name: open_cases_of
-- The open cases of everybody who has this number, each with what its working days are counted by.
select c.lender_id, c.loan_id, s.content ->> 'calendar' as calendar, b.timezone as zone
from cases c join loans l using (lender_id, loan_id) join lenders b using (lender_id)
join strategies s on s.name = c.strategy and s.version = c.strategy_version
where c.open and exists (
    select from contact_points p where p.lender_id = l.lender_id and p.value = :number and (
        p.party_id = l.borrower_id
        or exists (select from loan_parties o where o.lender_id = l.lender_id and o.loan_id = l.loan_id and o.party_id = p.party_id)))
order by c.lender_id, c.loan_id;

-- name: suppress_everywhere!
-- No lender here texts this number any more, not even one that gets it on a tape tomorrow.
insert into suppressions (lender_id, channel, value, since, reason)
select lender_id, :channel, :number, :now, :reason from lenders
on conflict do nothing;

-- name: suppressed_anywhere$
-- Whether some lender here was asked already.
select exists (select from suppressions where channel = :channel and value = :number);

-- name: unsuppress_everywhere!
-- The number asked for texts again.
delete from suppressions where channel = :channel and value = :number;

-- name: lock_contact^
-- What is known of a contact, held until the receipt is written.
select lender_id, loan_id, party_id, contact_value, carrier_id, carrier_status from contacts where contact_id = :contact_id for update;
