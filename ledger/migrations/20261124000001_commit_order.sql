-- migrate:up

-- Holds and opt-outs stand in the order of commits beside contacts and stops, so that it can be proved which contact should have seen them.
-- Those of before this file come after every contact that was made until now: nobody noted their place.
alter table holds
    add column commit_order   bigint not null default nextval('commit_order'),
    add column released_order bigint;
alter table suppressions
    add column commit_order bigint not null default nextval('commit_order');

alter table holds disable trigger audit_new;          -- nothing was done to these holds
update holds set released_order = nextval('commit_order') where released_at is not null;
alter table holds enable trigger audit_new;

-- Opt-outs that were taken back. The gate reads `suppressions`; these are for the proof.
create table suppressions_lifted (
    lender_id    text not null,
    channel      text not null,
    value        text not null,
    since        timestamptz not null,
    reason       text not null,
    commit_order bigint not null,
    lifted_order bigint not null,
    primary key (lender_id, channel, value, commit_order)
);

-- Every contact passes the gate under the lock of its loan's borrower. Whoever holds the locks of all borrowers whose contacts a hold or an
-- opt-out is about therefore draws its number before a contact that sees it, and after one that does not.
create function lock_people_about(lender text, what text, which text) returns void language plpgsql as $$
begin
    perform from parties p where p.lender_id = lender and p.party_id in (
        with named as (
            select which as party_id where what = 'person'
            union
            select c.party_id from contact_points c where what = 'contact_point' and c.lender_id = lender and c.value = which
        )
        select l.borrower_id from loans l where what = 'loan' and l.lender_id = lender and l.loan_id = which
        union
        select n.party_id from named n
        union
        select l.borrower_id from named join loan_parties o on o.lender_id = lender and o.party_id = named.party_id
        join loans l on l.lender_id = lender and l.loan_id = o.loan_id)
    order by p.party_id for no key update;
end $$;

create function order_hold() returns trigger language plpgsql as $$
begin
    perform lock_people_about(new.lender_id, new.subject_kind, new.subject_id);
    new.commit_order := nextval('commit_order');
    return new;
end $$;
create trigger ordered before insert on holds for each row execute function order_hold();

-- Without the locks: a contact that does not see the end of a hold saw the hold.
create function order_release() returns trigger language plpgsql as $$
begin
    new.released_order := nextval('commit_order');
    return new;
end $$;
create trigger release_ordered before update on holds for each row
    when (old.released_at is null and new.released_at is not null) execute function order_release();

create function order_opt_out() returns trigger language plpgsql as $$
begin
    perform lock_people_about(new.lender_id, 'contact_point', new.value);
    new.commit_order := nextval('commit_order');
    return new;
end $$;
create trigger ordered before insert on suppressions for each row execute function order_opt_out();

create function keep_lifted() returns trigger language plpgsql as $$
begin
    insert into suppressions_lifted
    values (old.lender_id, old.channel, old.value, old.since, old.reason, old.commit_order, nextval('commit_order'));
    return old;
end $$;
create trigger lifted before delete on suppressions for each row execute function keep_lifted();

-- migrate:down
