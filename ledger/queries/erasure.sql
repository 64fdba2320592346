-- name: known_party$
-- Whether a lender knows a person.
select exists (select from parties where lender_id = :lender_id and party_id = :party_id);

-- name: loans_of_party
-- Every loan on which a person stands, and what speaks against erasing them.
select l.lender_id, l.loan_id, l.country, l.borrower_id = :party_id as borrower,
    coalesce(c.open, false) as open_case,
    exists (select from entries e where e.lender_id = l.lender_id and e.loan_id = l.loan_id and e.status = 'pending') as pending,
    exists (select from effects f where f.lender_id = l.lender_id and f.loan_id = l.loan_id and f.state <> 'ended')
        or exists (select from disputed_parts d where d.lender_id = l.lender_id and d.loan_id = l.loan_id and d.until is null)
        or exists (select from holds h where h.lender_id = l.lender_id and h.reason = 'dispute' and h.released_at is null
                   and (h.until_at is null or h.until_at > :now::timestamptz)
                   and (h.subject_kind, h.subject_id) in (('loan', l.loan_id), ('person', l.borrower_id))) as disputed,
    greatest(l.opened_on,
        (select max(i.due_on) from instalments i where i.lender_id = l.lender_id and i.loan_id = l.loan_id),
        (select max(e.value_date) from entries e where e.lender_id = l.lender_id and e.loan_id = l.loan_id),
        (select max(v.at)::date from case_events v where v.lender_id = l.lender_id and v.loan_id = l.loan_id),
        (select max(t.ended_at)::date from tasks t where t.lender_id = l.lender_id and t.loan_id = l.loan_id)) as last_on
from loans l left join cases c using (lender_id, loan_id)
where l.lender_id = :lender_id and (l.borrower_id = :party_id
    or exists (select from loan_parties p where p.lender_id = l.lender_id and p.loan_id = l.loan_id and p.party_id = :party_id))
order by l.loan_id;

-- name: erase_inbound!
-- What they wrote to us, from a number that nobody else has.
update inbound i set sender = 'erased', body = 'erased' from contact_points p
where p.lender_id = :lender_id and p.party_id = :party_id and p.value = i.sender
  and not exists (select from contact_points o where o.value = p.value and (o.lender_id, o.party_id) <> (p.lender_id, p.party_id));

-- name: erase_letters!
-- The letters; their digests stay.
update letters l set pdf = null from contacts c
where c.contact_id = l.contact_id and c.lender_id = :lender_id and c.party_id = :party_id and l.pdf is not null;

-- name: erase_calls!
-- What was said in automated calls.
update voice_calls v set state = '{}' from contacts c
where c.contact_id = v.contact_id and c.lender_id = :lender_id and c.party_id = :party_id and v.state <> '{}';

-- name: erase_contacts!
-- Where contacts went and what they said; that they were made, when, and by which permit, stays.
update contacts set contact_value = case when contact_value is null then null else 'erased-' || encode(sha256(convert_to(:salt || contact_value, 'UTF8')), 'hex') end,
    body = null
where lender_id = :lender_id and party_id = :party_id and (contact_value is not null or body is not null);

-- name: erase_tasks!
-- What people wrote down about their tasks.
update tasks set data = (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(data) where key = any(:kept::text[]))
where lender_id = :lender_id and loan_id = any(:loans::text[]) and data <> '{}';

-- name: erase_events!
-- What people told the cases.
update case_events set data = jsonb_set(data, '{body}', (
    select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(data -> 'body') where key = any(:kept::text[])))
where lender_id = :lender_id and loan_id = any(:loans::text[]) and jsonb_typeof(data -> 'body') = 'object';

-- name: erase_holds!
-- Holds on their numbers: over, and without the number.
update holds h set subject_id = 'erased', released_at = coalesce(released_at, :now) from contact_points p
where p.lender_id = :lender_id and p.party_id = :party_id and h.lender_id = p.lender_id and h.subject_kind = 'contact_point' and h.subject_id = p.value;

-- name: erase_consents!
-- What they agreed to.
delete from consents where lender_id = :lender_id and party_id = :party_id;

-- name: erase_points!
-- Numbers and addresses.
delete from contact_points where lender_id = :lender_id and party_id = :party_id;

-- name: erase_payers!
-- Who paid, where a name was given with the money.
update entries set payer = null where lender_id = :lender_id and loan_id = any(:loans::text[]) and payer is not null;

-- name: erase_phone!
-- The number in the loan's own row.
update loans set phone = null where lender_id = :lender_id and borrower_id = :party_id and phone is not null;

-- name: erase_tape!
-- Earlier versions of these rows.
delete from tape_history where lender_id = :lender_id
  and (row ->> 'party_id' = :party_id or row ->> 'borrower_id' = :party_id or (kind = 'parties' and key = :party_id));

-- name: erase_name!
-- The name.
update parties set name = 'erased' where lender_id = :lender_id and party_id = :party_id;

-- name: record_erasure!
-- That it was done.
insert into erasures (lender_id, party_id, erased_at, reason, counts) values (:lender_id, :party_id, :now, :reason, :counts);
