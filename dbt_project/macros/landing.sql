{#- What a run of dbt does before its models on a warehouse whose tables are files. -#}

{% macro open_landing() -%}
    {{ return(adapter.dispatch('open_landing')()) }}
{%- endmacro %}

{% macro default__open_landing() -%}
{%- endmacro %}

{#- Name the landed files as the tables of the sources, anew in each run, since Spark remembers which files a table
    had. Each table's columns are those of an empty file that ingestion writes. And drop what a
    killed run left half written: it is built in full. -#}
{% macro spark__open_landing() -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() -%}
            {%- set file = '${spark.analytics.lake}/columns/' ~ node.schema ~ '/' ~ node.name ~ '.parquet' -%}
            {%- set columns = run_query('describe query select * from parquet.`' ~ file ~ '`') -%}
            {%- do run_query('create database if not exists ' ~ node.schema) -%}
            {%- do run_query('drop table if exists ' ~ node.schema ~ '.' ~ node.name) -%}
            {%- set listed = [] -%}
            {%- for column in columns -%}
                {%- do listed.append(column[0] ~ ' ' ~ column[1]) -%}
            {%- endfor -%}
            {%- do run_query(
                'create table ' ~ node.schema ~ '.' ~ node.name ~ ' (' ~ listed | join(', ') ~ ') using parquet'
                ~ " location '${spark.analytics.lake}/" ~ node.schema ~ '/' ~ node.name ~ "'"
            ) -%}
        {%- endfor -%}
        {%- for node in graph.nodes.values() if node.config.materialized == 'incremental' -%}
            {%- set relation = adapter.get_relation(none, node.schema, node.alias) -%}
            {%- if relation and 'incomplete=true' in (relation.information or '') -%}
                {{ log('dropping ' ~ relation ~ ', which a killed run left half written', info=true) }}
                {%- do adapter.drop_relation(relation) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
