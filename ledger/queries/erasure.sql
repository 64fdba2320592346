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
-- What people told the cases, and what they were answered.
update case_events set data = data
    || case when jsonb_typeof(data -> 'body') = 'object' then jsonb_build_object('body', (
        select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(data -> 'body') where key = any(:kept::text[]))) else '{}' end
    || case when data ->> 'refused' is not null then '{"refused": "erased"}'::jsonb else '{}' end
    || case when kind = 'closed' and data ->> 'why' like 'closed: %' and substr(data ->> 'why', 9) <> all(:our_reasons::text[])
        then '{"why": "closed: erased"}'::jsonb else '{}' end
where lender_id = :lender_id and loan_id = any(:loans::text[])
  and (jsonb_typeof(data -> 'body') = 'object' or data ->> 'refused' is not null or kind = 'closed');

-- name: erase_closings!
-- Why somebody closed the case.
update cases set closing = 'erased'
where lender_id = :lender_id and loan_id = any(:loans::text[]) and closing <> all('{erased}' || :our_reasons::text[]);

-- name: erase_disputes!
-- What they disputed, in words; which part of the debt, and when, stays.
update disputed_parts set reason = 'erased', source = 'erased'
where lender_id = :lender_id and loan_id = any(:loans::text[]) and (reason, source) is distinct from ('erased', 'erased');

-- name: erase_notices!
-- How it is proved that a notice was served; that it was, and when, stays.
update notices set proof = null where lender_id = :lender_id and loan_id = any(:loans::text[]) and proof is not null;

-- name: erase_limitation!
-- By what the limitation moved; that it did, and when, stays.
update limitation_events set evidence = null
where lender_id = :lender_id and loan_id = any(:loans::text[]) and evidence is not null;

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

-- name: erase_entries!
-- What came with the money in words: who paid, from where, why. Codes of banks, and words that are ours, say nothing of a person.
update entries set payer = case when payer is not null then 'erased' end,
    source = case when source = any(:our_sources::text[]) then source when source is not null then 'erased' end,
    reason = case when reason = any(:our_reasons::text[]) or reason ~ :return_code then reason when reason is not null then 'erased' end
where lender_id = :lender_id and loan_id = any(:loans::text[]) and (payer <> 'erased'
    or source <> all('{erased}' || :our_sources::text[]) or reason <> all('{erased}' || :our_reasons::text[]) and reason !~ :return_code);

-- name: erase_suspense!
-- The same of money that waits.
update suspense set entry = entry || (
    select jsonb_object_agg(key, 'erased') from jsonb_each(entry) where key in ('payer', 'source', 'reason'))
where lender_id = :lender_id and loan_id = any(:loans::text[]) and exists (
    select from jsonb_each_text(entry) where key in ('payer', 'source', 'reason') and value <> 'erased');

-- name: erase_messages!
-- The same of what the cases were told of money, once they have heard it.
update outbox set payload = case when payload ? 'entries' then jsonb_set(payload, '{entries}', (
    select jsonb_agg(each - 'reason' order by place) from jsonb_array_elements(payload -> 'entries') with ordinality as e (each, place)))
    else payload - 'reason' end
where lender_id = :lender_id and loan_id = any(:loans::text[]) and delivered_at is not null
  and (payload ? 'reason' or jsonb_path_exists(payload, '$.entries[*].reason'));

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
