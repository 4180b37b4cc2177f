{#- What a build reads of the landing: whole loads in the order of their ids. -#}

{#- The newest load that this build takes in: what lands while it runs waits for the next one. -#}
{% macro horizon() -%}
    {{ newest_load(ref('stg_horizon')) }}
{%- endmacro %}


{#- The newest load that an incremental model has taken in: of all that its parents had when it was built, or of its rows where
    that is newer. 0 for an empty table, so that one that was emptied is filled. -#}
{% macro watermark() -%}
    {%- set horizons = model_horizons() -%}
    {%- if execute and load_relation(horizons) is not none and load_relation(this) is not none -%}
        {%- set taken_in -%}
            select
                case
                    when max(load_id) is null then 0
                    else greatest(
                        max(load_id),
                        coalesce((select max(load_id) from {{ horizons }} where model = '{{ this.identifier }}'), 0)
                    )
                end
            from {{ this }}
        {%- endset -%}
        {{ run_query(taken_in).columns[0][0] }}
    {%- else -%}
        {{ newest_load(this) }}
    {%- endif -%}
{%- endmacro %}


{#- As watermark(), but before the oldest load of which something did not agree, so that it is looked at again. -#}
{% macro watermark_before_broken() -%}
    {%- set broken = none -%}
    {%- if execute and is_incremental() -%}
        {%- set broken = run_query('select min(load_id) - 1 from ' ~ this ~ ' where broken_hop is not null').columns[0][0] -%}
    {%- endif -%}
    {{ watermark() if broken is none else broken }}
{%- endmacro %}


{#- The newest load whose days the last whole build reconciled. A test of `dbt build` looks at what landed since;
    `dbt test`, and a build with --full-refresh, look at everything. Named without ref(), since ops comes after
    the tests that ask. -#}
{% macro checked_load() -%}
    {%- if flags.WHICH == 'build' and not flags.FULL_REFRESH -%}
        {{ newest_load(api.Relation.create(database=target.database, schema='ops', identifier='reconciliation_days')) }}
    {%- else -%}
        0
    {%- endif -%}
{%- endmacro %}


{#- The landed tables that the models read, each with its column of money. A feed that lands as it is has a table of
    its own, which only a model of the user's knows. -#}
{% macro landed_amounts() -%}
    {{- return({
        'sales': 'total_amount',
        'interactions': none,
        'products': none,
        'customers': none,
        'stores': none,
        'channels': none,
        'inventory': none,
    }) -}}
{%- endmacro %}


{#- As a number, looked up while the model compiles: a number lets the planner see how few rows are newer, where a
    subquery makes it prepare for a third of the table. 0 where the table is not built yet. -#}
{% macro newest_load(relation) -%}
    {%- if execute and load_relation(relation) is not none -%}
        {{ run_query('select coalesce(max(load_id), 0) from ' ~ relation).columns[0][0] }}
    {%- else -%}
        0
    {%- endif -%}
{%- endmacro %}


{#- Over the rows of a landed table: true for the newest version of a key, by order of arrival.

    An anti-join and not a window, so that a filter on load_id or on the key is applied before it. The first
    condition is what an index on key and load_id can use. -#}
{% macro is_newest_version(table, alias, key) -%}
    not exists (
        select 1
        from {{ source('staging', table) }} as newer
        where newer.load_id <= {{ horizon() }}
            and newer.load_id >= {{ alias }}.load_id
            and (
                newer.load_id > {{ alias }}.load_id
                or newer.source_line > {{ alias }}.source_line
                or (newer.source_line = {{ alias }}.source_line and newer.source_file > {{ alias }}.source_file)
            )
            {%- for column in key %}
            and newer.{{ column }} = {{ alias }}.{{ column }}
            {%- endfor %}
    )
{%- endmacro %}
