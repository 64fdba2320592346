-- migrate:up

-- The log of what was done in a case: one chain of hashes a loan, written by the database itself, so that nothing passes it by.
-- A link's hash covers a salted hash of its content; the content stands apart and can be erased, and the chain still holds.
create table audit (
    lender_id    text not null,
    loan_id      text not null,
    seq          bigint not null,                     -- 1, 2, 3 without a gap
    at           timestamptz not null,                -- real time
    kind         text not null,                       -- contact, task, event, notice, limitation, request, hold, erasure
    subject      text not null,                       -- the id of the row that it is about
    content_hash bytea not null,
    previous     bytea not null,                      -- the hash of the link before; of the first, the hash of the loan's id
    hash         bytea not null,
    primary key (lender_id, loan_id, seq)
);

create table audit_content (
    lender_id text not null,
    loan_id   text not null,
    seq       bigint not null,
    party_id  text,                                   -- whom it names; null is the borrower, or nobody
    salt      uuid,
    content   text,                                   -- the row as JSON, in exactly the text that was hashed
    erased_at timestamptz,
    primary key (lender_id, loan_id, seq),
    check ((content is null) = (erased_at is not null) and (salt is null) = (erased_at is not null))
);

-- Where each chain ends. Whoever appends locks this row until the commit, so that a chain never forks.
create table audit_heads (
    lender_id text not null,
    loan_id   text not null,
    seq       bigint not null,
    hash      bytea not null,
    primary key (lender_id, loan_id),
    foreign key (lender_id, loan_id) references loans
);

-- ledger/export/check.py computes these three alike, without a database.
create function audit_first(lender text, loan text) returns bytea language sql stable as
$$ select sha256(convert_to(lender || E'\n' || loan, 'UTF8')) $$;

create function audit_content_hash(salt uuid, content text) returns bytea language sql stable as
$$ select sha256(convert_to(salt::text || content, 'UTF8')) $$;

create function audit_link_hash(previous bytea, seq bigint, at timestamptz, kind text, subject text, content_hash bytea)
returns bytea language sql stable as $$
    select sha256(convert_to(concat_ws(E'\n', encode(previous, 'hex'), seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        kind, subject, encode(content_hash, 'hex')), 'UTF8'))
$$;

create function audit_append(lender text, loan text, kind text, subject text, party text, content jsonb)
returns void language plpgsql as $$
declare
    said text := content;
    salt uuid := gen_random_uuid();
    moment timestamptz := clock_timestamp();
    hashed bytea := audit_content_hash(salt, said);
    head audit_heads;
    link bytea;
begin
    select * into head from audit_heads h where h.lender_id = lender and h.loan_id = loan for update;
    if not found then
        insert into audit_heads values (lender, loan, 0, audit_first(lender, loan)) on conflict do nothing;
        select * into head from audit_heads h where h.lender_id = lender and h.loan_id = loan for update;
    end if;
    link := audit_link_hash(head.hash, head.seq + 1, moment, kind, subject, hashed);
    insert into audit values (lender, loan, head.seq + 1, moment, kind, subject, hashed, head.hash, link);
    insert into audit_content values (lender, loan, head.seq + 1, party, salt, said, null);
    update audit_heads h set seq = head.seq + 1, hash = link where h.lender_id = lender and h.loan_id = loan;
end $$;

-- What is logged of a row: a permit by its digest, so that a row logged at each change of state does not carry it along each time.
create function audit_image(line jsonb) returns jsonb language sql stable as $$
    select case when line ? 'permit'
        then line - 'permit' || jsonb_build_object('permit_digest', encode(sha256(convert_to(line ->> 'permit', 'UTF8')), 'hex'))
        else line end
$$;

-- Arguments: the kind, and the column with the row's id. The zone is fixed because JSON's times are written in the session's.
create function audit_row() returns trigger language plpgsql set timezone = 'UTC' as $$
declare
    line jsonb := to_jsonb(new);
    image jsonb := audit_image(line);
begin
    if jsonb_typeof(line -> 'permit') = 'object' and (tg_op = 'INSERT' or to_jsonb(old) -> 'permit' is distinct from line -> 'permit') then
        image := image || jsonb_build_object('permit', line -> 'permit');
    end if;
    perform audit_append(line ->> 'lender_id', line ->> 'loan_id', tg_argv[0], line ->> tg_argv[1], line ->> 'party_id', image);
    return null;
end $$;

-- The loans that a hold concerns, always in the same order, so that two holds at once do not wait for one another.
create function audit_loans_of(held holds) returns setof text language sql stable as $$
    select loan_id from loans where lender_id = held.lender_id and case held.subject_kind
        when 'loan' then loan_id = held.subject_id
        when 'person' then borrower_id = held.subject_id
        else borrower_id in (select party_id from contact_points where lender_id = held.lender_id and value = held.subject_id) end
    order by loan_id
$$;

create function audit_hold() returns trigger language plpgsql set timezone = 'UTC' as $$
declare
    loan text;
begin
    for loan in select audit_loans_of(new) loop
        perform audit_append(new.lender_id, loan, 'hold', new.hold_id, null, to_jsonb(new));
    end loop;
    return null;
end $$;

-- Existing rows come first, once; then every change is logged by whoever makes it.
do $$
declare
    r record;
begin
    perform set_config('timezone', 'UTC', true);
    for r in
        select x.* from (
            select lender_id, loan_id, 'event' as kind, id::text as subject, null as party, to_jsonb(e) as line, 1 as turn, id as n from case_events e
            union all
            select lender_id, loan_id, 'contact', contact_id, party_id, to_jsonb(c), 2, 0 from contacts c
            union all
            select lender_id, loan_id, 'task', task_id, null, to_jsonb(t), 3, 0 from tasks t
            union all
            select h.lender_id, l.loan, 'hold', hold_id, null, to_jsonb(h), 4, 0 from holds h cross join audit_loans_of(h) l (loan)
        ) x order by lender_id, loan_id, turn, n, subject
    loop
        perform audit_append(r.lender_id, r.loan_id, r.kind, r.subject, r.party, audit_image(r.line) ||
            case when jsonb_typeof(r.line -> 'permit') = 'object' then jsonb_build_object('permit', r.line -> 'permit') else '{}' end);
    end loop;
end $$;

create trigger audit_new after insert on contacts for each row execute function audit_row('contact', 'contact_id');
create trigger audit_changed after update on contacts for each row when (old.* is distinct from new.*) execute function audit_row('contact', 'contact_id');
create trigger audit_new after insert on tasks for each row execute function audit_row('task', 'task_id');
create trigger audit_changed after update on tasks for each row when (old.* is distinct from new.*) execute function audit_row('task', 'task_id');
create trigger audit_new after insert or update on case_events for each row execute function audit_row('event', 'id');
create trigger audit_new after insert or update on notices for each row execute function audit_row('notice', 'notice_id');
create trigger audit_new after insert or update on limitation_events for each row execute function audit_row('limitation', 'event_id');
create trigger audit_new after insert or update on requests for each row execute function audit_row('request', 'request_id');
create trigger audit_new after insert or update on holds for each row execute function audit_hold();

-- Nothing in the log is changed. Only a content may be erased, whole and for good.
create function audit_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append-only: % of % is refused; erase personal text with erase_audit_content()', lower(tg_op), tg_table_name
        using errcode = 'restrict_violation';
end $$;
create trigger append_only before update or delete or truncate on audit for each statement execute function audit_refuse();
create trigger append_only before delete or truncate on audit_content for each statement execute function audit_refuse();
create trigger only_erased before update on audit_content for each row
    when (old.erased_at is not null or new.erased_at is null
          or (old.lender_id, old.loan_id, old.seq, old.party_id) is distinct from (new.lender_id, new.loan_id, new.seq, new.party_id))
    execute function audit_refuse();
create trigger append_only before delete or truncate on audit_heads for each statement execute function audit_refuse();
create trigger only_forward before update on audit_heads for each row when (new.seq <> old.seq + 1) execute function audit_refuse();

-- Erase what the log of a loan says of a party, or all that it says; the chain still holds, and the erasure itself is logged.
-- What names nobody is about the borrower. Returns how many contents went.
create function erase_audit_content(lender text, loan text, party text default null) returns bigint language plpgsql as $$
declare
    gone bigint;
begin
    perform from audit_heads h where h.lender_id = lender and h.loan_id = loan for update;
    update audit_content c set salt = null, content = null, erased_at = clock_timestamp()
    from audit a
    where c.lender_id = lender and c.loan_id = loan and c.erased_at is null
      and (a.lender_id, a.loan_id, a.seq) = (c.lender_id, c.loan_id, c.seq) and a.kind <> 'erasure'
      and (party is null or party = coalesce(c.party_id, (select borrower_id from loans l where l.lender_id = lender and l.loan_id = loan)));
    get diagnostics gone = row_count;
    perform audit_append(lender, loan, 'erasure', coalesce(party, '*'), null, jsonb_build_object('contents', gone));
    return gone;
end $$;

-- migrate:down
