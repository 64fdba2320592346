#!/bin/sh
# Runs once, when the data directory is made: Temporal gets a role of its own, which sees nothing of the ledger.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set=password="$TEMPORAL_DB_PASSWORD" <<'SQL'
create role temporal login createdb password :'password';
revoke connect on database arrears from public;
SQL
