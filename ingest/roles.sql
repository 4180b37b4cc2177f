-- Roles, schemas and grants of the warehouse; safe to run again.
-- The embedded warehouse runs it at every start. On a server of your own run it once as an administrator:
--     psql -d analytics -f ingest/roles.sql
-- and give the roles passwords.

do $$
declare
    role_name text;
begin
    foreach role_name in array array[
        'analytics_loader', 'analytics_transformer', 'analytics_reader', 'analytics_access'
    ] loop
        if not exists (select from pg_roles where rolname = role_name) then
            execute format('create role %I login', role_name);
        end if;
        execute format('grant connect, temporary on database %I to %I', current_database(), role_name);
        execute format('alter role %I in database %I set timezone to ''UTC''', role_name, current_database());
        execute format('grant %I to current_user', role_name);
    end loop;
    execute format('grant create on database %I to analytics_loader, analytics_transformer', current_database());
end
$$;

-- The loader writes what arrives; the transformer models it; the reader sees marts, metrics and ops only. The role access
-- is for the server's users: it gets its few tables in ops where they are created, and sees nothing else.
create schema if not exists staging authorization analytics_loader;
create schema if not exists ops authorization analytics_loader;
create schema if not exists staging_views authorization analytics_transformer;
create schema if not exists intermediate authorization analytics_transformer;
create schema if not exists marts authorization analytics_transformer;
create schema if not exists metrics authorization analytics_transformer;

grant usage on schema staging to analytics_transformer;
grant usage, create on schema ops to analytics_transformer;
grant usage on schema marts, metrics, ops to analytics_reader;
grant usage on schema ops to analytics_access;

alter default privileges for role analytics_loader in schema staging grant select on tables to analytics_transformer;
alter default privileges for role analytics_loader in schema ops
grant select on tables to analytics_transformer, analytics_reader;
alter default privileges for role analytics_transformer in schema marts grant select on tables to analytics_reader;
alter default privileges for role analytics_transformer in schema metrics grant select on tables to analytics_reader;
alter default privileges for role analytics_transformer in schema ops
grant select on tables to analytics_reader, analytics_loader;

alter role analytics_reader set default_transaction_read_only to on;
