#!/bin/sh
# Run once by the postgres image: the roles of roles.sql get the password of the environment.
set -eu
for role in loader transformer reader access; do
    psql -v ON_ERROR_STOP=1 -v password="$ANALYTICS_PG_PASSWORD" -d analytics <<SQL
alter role analytics_$role password :'password';
SQL
done
