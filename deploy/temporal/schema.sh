#!/bin/sh
# Makes Temporal's two databases, or brings them to this server's schema. Safe to run again.
set -eu
for name in temporal visibility; do
    database=temporal
    [ "$name" = temporal ] || database=temporal_visibility
    tool="temporal-sql-tool --plugin postgres12 --endpoint $SQL_HOST --port 5432 --user $SQL_USER --database $database"
    $tool create
    $tool setup-schema -v 0.0 || true # it is there already
    $tool update-schema -d "/etc/temporal/schema/postgresql/v12/$name/versioned"
done
