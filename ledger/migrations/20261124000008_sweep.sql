-- migrate:up

-- What a lender charges for an instalment that is paid late; nothing by default. Amounts are in each loan's currency.
alter table lenders
    add column late_fee_since  date,                  -- no instalment that was late before is charged; null charges nothing
    add column late_fee_amount numeric check (late_fee_amount > 0),                         -- fixed, or
    add column late_fee_rate   numeric check (late_fee_rate > 0 and late_fee_rate <= 1),    -- a share of what is unpaid of the instalment
    add column late_fee_cap    numeric check (late_fee_cap > 0),
    add column late_fee_grace  int not null default 0 check (late_fee_grace >= 0),          -- calendar days after the due date
    add constraint late_fee_is_one check (late_fee_since is null or (late_fee_amount is null) <> (late_fee_rate is null));

-- migrate:down
