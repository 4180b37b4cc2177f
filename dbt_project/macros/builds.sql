{#- What the end of a run of dbt keeps and tells of the models that it built. -#}

{#- How far each table has come. A model's rows do not tell: a load of another entity, or one that brought nothing to it, leaves
    no row, and would be looked at again in each build until a newer one does. -#}
{% macro model_horizons() -%}
    {{ return(api.Relation.create(database=target.database, schema='ops', identifier='model_horizons')) }}
{%- endmacro %}


{#- Writes down for each table that was built the newest load up to which all its parents had been built: that of this run where
    they were part of it, else of an earlier one. A run that is killed before leaves the older ones, and the next one does
    more than it must. -#}
{% macro keep_horizons(results) -%}
{%- if execute -%}
    {%- set taken_in = {} -%}
    {%- if load_relation(model_horizons()) is not none -%}
        {%- for row in run_query('select model, load_id from ' ~ model_horizons()).rows -%}
            {%- do taken_in.update({row[0]: row[1] | int}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set built = {} -%}
    {%- for result in results if result.node.resource_type == 'model' and result.status == 'success' and is_stored(result.node) -%}
        {%- if result.node.name == 'stg_horizon' -%}
            {%- set load_id = newest_load(api.Relation.create(database=result.node.database, schema=result.node.schema, identifier=result.node.alias)) | int -%}
        {%- else -%}
            {%- set of_parents = [] -%}
            {%- for parent in stored_parents(result.node) -%}
                {%- do of_parents.append(taken_in.get(parent, 0)) -%}
            {%- endfor -%}
            {%- set load_id = of_parents | min if of_parents else 0 -%}
        {%- endif -%}
        {%- do taken_in.update({result.node.alias: load_id}) -%}
        {%- do built.update({result.node.alias: load_id}) -%}
    {%- endfor -%}
    {%- if built -%}
        {{ write_horizons(built, taken_in) }}
    {%- endif -%}
{%- endif -%}
{%- endmacro %}

{% macro is_stored(node) -%}
    {{ return(node.config.materialized in ['table', 'incremental']) }}
{%- endmacro %}

{#- The names of the tables that a model reads, through views too. -#}
{% macro stored_parents(node) -%}
    {%- set names = [] -%}
    {%- for id in node.depends_on.nodes if id.startswith('model.') -%}
        {%- set parent = graph.nodes[id] -%}
        {%- do (names.append(parent.alias) if is_stored(parent) else names.extend(stored_parents(parent))) -%}
    {%- endfor -%}
    {{ return(names | unique | list) }}
{%- endmacro %}

{% macro write_horizons(built, all) -%}
    {{ return(adapter.dispatch('write_horizons')(built, all)) }}
{%- endmacro %}

{% macro default__write_horizons(built, all) -%}
    create table if not exists {{ model_horizons() }} (
        model text primary key,
        load_id bigint not null
    );
    comment on table {{ model_horizons() }} is
        'One row for each table: the newest load that its last build took in.';
    insert into {{ model_horizons() }} (model, load_id)
    values
    {%- for name, load_id in built.items() %}
        ('{{ name }}', {{ load_id }}){{ ',' if not loop.last }}
    {%- endfor %}
    on conflict (model) do update set load_id = excluded.load_id;
{%- endmacro %}

{#- Without updates the table is written anew. -#}
{% macro spark__write_horizons(built, all) -%}
    {%- do run_query('create table if not exists ' ~ model_horizons() ~ ' (model string, load_id bigint) using parquet') -%}
    {%- set rows = [] -%}
    {%- for name, load_id in all.items() -%}
        {%- do rows.append("('" ~ name ~ "', " ~ load_id ~ ')') -%}
    {%- endfor -%}
    {%- do run_query('insert overwrite ' ~ model_horizons() ~ ' values ' ~ rows | join(', ')) -%}
{%- endmacro %}


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
