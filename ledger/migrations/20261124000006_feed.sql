-- migrate:up

-- The daily life with a lender's core system: numbers that it took back, loans that it took back, and its own figures beside ours.

alter table contact_points
    drop constraint contact_points_status_check,
    add constraint contact_points_status_check
        check (status in ('active', 'dead', 'wrong', 'opted_out', 'reassigned', 'replaced'));
create index contact_points_replaced on contact_points (lender_id, party_id) where status = 'replaced';

alter table loans
    add column phone  text,                           -- the borrower's number as this loan's row gave it last
    add column status text not null default 'active' check (status in ('active', 'recalled', 'sold'));  -- not active: nobody collects it here
create index loans_gone on loans (lender_id, loan_id) where status <> 'active';

-- Whose number it was is known where a borrower had one alone.
update loans l set phone = p.phone
from (
    select lender_id, party_id, min(value) as phone from contact_points where kind = 'mobile' and source = 'loan'
    group by lender_id, party_id having count(*) = 1
) p
where p.lender_id = l.lender_id and p.party_id = l.borrower_id;

-- What the lender last said of a loan that it took back. Its word stands over the column `status` of a loans file.
create table recalls (
    lender_id   text not null,
    loan_id     text not null,
    reason      text not null check (reason in ('recalled', 'sold', 'returned')),
    as_of       date not null,
    version     int not null default 1,
    recorded_at timestamptz not null default now(),
    primary key (lender_id, loan_id),
    foreign key (lender_id, loan_id) references loans
);

-- The core system's figures, in the loan's currency.
create table balances (
    lender_id     text not null,
    loan_id       text not null,
    as_of         date not null,
    outstanding   numeric not null,
    arrears       numeric not null,
    oldest_due_on date,
    version       int not null default 1,
    recorded_at   timestamptz not null default now(),
    primary key (lender_id, loan_id, as_of),
    foreign key (lender_id, loan_id) references loans
);
alter table lenders
    add column balance_tolerance numeric not null default 0 check (balance_tolerance >= 0);  -- by which the core's figures may differ from ours

-- What stood before a change counts for contacts that were made before it: the order of commits says which.
alter table tape_history add column commit_order bigint not null default nextval('commit_order');

-- A balance that does not agree needs a person, whether or not the loan has a case.
alter table tasks
    drop constraint tasks_lender_id_loan_id_fkey,
    add constraint tasks_lender_id_loan_id_fkey foreign key (lender_id, loan_id) references loans;

-- `fed_at` is the payment feed's, on which contact may depend; the other two say how old a lender's other files are.
alter table feeds
    alter column fed_at drop not null,
    add column tape_at     timestamptz,
    add column balances_at timestamptz;

-- What the daily feed placed and may take back by itself.
create index holds_of_feed on holds (lender_id, subject_id) where source = 'feed' and released_at is null;

-- Instalments come by the million. That each has its loan is checked once a statement, for a look-up a row takes half of an intake's time.
alter table instalments drop constraint instalments_lender_id_loan_id_fkey;
create function instalments_have_loans() returns trigger language plpgsql as $$
declare
    alone record;
begin
    select a.lender_id, a.loan_id into alone from added a left join loans l using (lender_id, loan_id) where l.loan_id is null limit 1;
    if found then
        raise exception 'an instalment names loan %/%, which is not there', alone.lender_id, alone.loan_id using errcode = 'foreign_key_violation';
    end if;
    return null;
end $$;
create trigger of_loans_added after insert on instalments referencing new table as added
    for each statement execute function instalments_have_loans();
create trigger of_loans_changed after update on instalments referencing new table as added
    for each statement execute function instalments_have_loans();
create function loans_keep_instalments() returns trigger language plpgsql as $$
begin
    if exists (select from instalments i where i.lender_id = old.lender_id and i.loan_id = old.loan_id) then
        raise exception 'loan %/% has instalments', old.lender_id, old.loan_id using errcode = 'foreign_key_violation';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger instalments_deleted before delete on loans for each row execute function loans_keep_instalments();
create trigger instalments_orphaned before update on loans for each row
    when ((old.lender_id, old.loan_id) is distinct from (new.lender_id, new.loan_id)) execute function loans_keep_instalments();

-- A loan's borrower is of its lender, and so its lender is there.
alter table loans drop constraint loans_lender_id_fkey;

-- Equal days are kept together, which makes it a sixth of what it was.
drop index instalments_by_due;
create index instalments_by_due on instalments (due_on);

-- migrate:down
