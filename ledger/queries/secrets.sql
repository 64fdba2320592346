-- name: valid_secrets
-- All secrets that hold now.
select secret_id, lender_id, kind, secret from webhook_secrets
where since <= now() and (until is null or until > now()) order by secret_id;

-- name: lock_lender$
-- The lender's row, so that two who add a secret see one another.
select lender_id from lenders where lender_id = :lender_id for update;

-- name: count_valid$
-- How many secrets of a kind a lender has that hold.
select count(*) from webhook_secrets
where lender_id = :lender_id and kind = :kind and (until is null or until > now());

-- name: add_secret!
-- A new secret, which holds at once.
insert into webhook_secrets (secret_id, lender_id, kind, secret) values (:secret_id, :lender_id, :kind, :secret);

-- name: retire_secret^
-- A secret ends, never later than it would have anyway.
update webhook_secrets set until = least(coalesce(until, 'infinity'), now() + :hours * interval '1 hour')
where lender_id = :lender_id and secret_id = :secret_id
returning secret_id, kind, since, until;

-- name: list_secrets
-- What a lender has, and never the secrets themselves.
select secret_id, lender_id, kind, since, until, since <= now() and (until is null or until > now()) as valid
from webhook_secrets where :lender_id::text is null or lender_id = :lender_id order by lender_id, kind, since;

-- name: timezone_of_lender$
-- Where the lender's days begin.
select timezone from lenders where lender_id = :lender_id;
