{#- Tells who reads that the marts were built: a row in ops.builds and a notification on the channel analytics_build. Called
    at the end of each run of dbt that builds models; of one that failed too, since some of its models are new. -#}
{% macro announce_build(results) -%}
    {{ return(adapter.dispatch('announce_build')(results)) }}
{%- endmacro %}

{% macro default__announce_build(results) -%}
{%- endmacro %}

{% macro postgres__announce_build(results) -%}
{%- set built = [] -%}
{%- set failed = [] -%}
{%- for result in results if result.node.resource_type in ('model', 'snapshot', 'seed', 'test', 'unit_test') -%}
    {%- if result.status in ('error', 'fail', 'skipped') -%}
        {%- do failed.append(result) -%}
    {%- elif result.node.resource_type not in ('test', 'unit_test') -%}
        {%- do built.append(result) -%}
    {%- endif -%}
{%- endfor -%}
{%- if execute and built %}
    {%- set horizon = api.Relation.create(database=target.database, schema='staging_views', identifier='stg_horizon') %}
    create table if not exists ops.builds (
        build_id bigint generated always as identity primary key,
        load_id bigint not null,
        models integer not null,
        is_whole boolean not null,
        finished_at timestamptz not null default clock_timestamp()
    );
    comment on table ops.builds is
        'One row for each time models were built: the newest load in them, how many, and whether all succeeded.';
    with build as (
        insert into ops.builds (load_id, models, is_whole)
        values ({{ newest_load(horizon) }}, {{ built | length }}, {{ 'false' if failed else 'true' }})
        returning load_id, finished_at
    )
    select pg_notify('analytics_build', json_build_object('load_id', load_id, 'built_at', finished_at)::text)
    from build;
{%- endif -%}
{%- endmacro %}
