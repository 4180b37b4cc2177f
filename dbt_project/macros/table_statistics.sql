{#- A post-hook of a table that others join as soon as it is built: a database that plans by statistics gets them at once
    where the table is new or has become twice as large since it had any, as after it was emptied. Later it keeps them
    by itself. Without them a join over days can be planned for one row, and take hours. -#}
{% macro analyze_grown_table() -%}
    {{ return(adapter.dispatch('analyze_grown_table')()) }}
{%- endmacro %}

{% macro default__analyze_grown_table() -%}
{%- endmacro %}

{% macro postgres__analyze_grown_table() -%}
    {%- if execute -%}
        {%- set size = run_query(
            "select pg_relation_size(oid) > 2 * cast(current_setting('block_size') as bigint) * relpages from pg_class where oid = to_regclass('" ~ this ~ "')"
        ) -%}
        {%- if size.rows | length == 0 or size.columns[0][0] -%}
        analyze {{ this }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
