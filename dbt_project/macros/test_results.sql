{#- What the tests found, as a table for readers: ops.test_results holds the newest result of each test, a row for
    each model that it looks at. Called at the end of each run of dbt that tests. -#}
{% macro keep_test_results(results) -%}
    {{ return(adapter.dispatch('keep_test_results')(results)) }}
{%- endmacro %}

{% macro default__keep_test_results(results) -%}
{%- endmacro %}

{#- The rows of the table: test, model, status, failures, message. -#}
{% macro rows_of_test_results(results) -%}
    {%- set rows = [] -%}
    {%- for result in results if result.node.resource_type in ('test', 'unit_test') -%}
        {%- for model in result.node.depends_on.nodes if model.startswith('model.') -%}
            {%- do rows.append([
                result.node.name, model.split('.')[2], result.status | string, result.failures,
                (result.message or '')[:500] | replace("'", "''"),
            ]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}

{% macro postgres__keep_test_results(results) -%}
{%- if execute and flags.WHICH in ('build', 'test') -%}
    {%- set rows = rows_of_test_results(results) -%}
    create table if not exists ops.test_results (
        test_name text not null,
        model_name text not null,
        status text not null,
        failures bigint,
        message text,
        checked_at timestamp not null,
        primary key (test_name, model_name)
    );
    comment on table ops.test_results is 'The newest result of each dbt test, a row for each model that it looks at.';
    {%- if not (invocation_args_dict.select or invocation_args_dict.exclude) %}
    delete from ops.test_results;  -- all tests were run: what is not among them is no test any more
    {%- endif %}
    {%- if rows %}
    insert into ops.test_results (test_name, model_name, status, failures, message, checked_at)
    values
    {%- for name, model, status, failures, message in rows %}
        (
            '{{ name }}', '{{ model }}', '{{ status }}', {{ failures if failures is not none else 'null' }},
            '{{ message }}', now()
        ){{ ',' if not loop.last }}
    {%- endfor %}
    on conflict (test_name, model_name) do update
    set
        status = excluded.status,
        failures = excluded.failures,
        message = excluded.message,
        checked_at = excluded.checked_at;
    {%- endif %}
{%- endif -%}
{%- endmacro %}

{#- A table that is written anew each time, from itself through a copy, since files know no update. -#}
{% macro spark__keep_test_results(results) -%}
{%- if execute and flags.WHICH in ('build', 'test') -%}
    {%- set rows = rows_of_test_results(results) -%}
    {%- set columns = 'test_name string, model_name string, status string, failures bigint, message string, checked_at timestamp' -%}
    {%- do run_query('create table if not exists ops.test_results (' ~ columns ~ ') using parquet') -%}
    {%- do run_query('drop table if exists ops.test_results__before') -%}
    {%- do run_query('create table ops.test_results__before using parquet as select * from ops.test_results') -%}
    {%- set written -%}
        insert overwrite table ops.test_results
        with results as (
            select test_name, model_name, status, cast(failures as bigint) as failures, message, current_timestamp() as checked_at
            from values
            {%- for name, model, status, failures, message in rows %}
                (
                    '{{ name }}', '{{ model }}', '{{ status }}', {{ failures if failures is not none else 'null' }},
                    '{{ message | replace('\\', '\\\\') | replace("''", "\\'") }}'
                ),
            {%- endfor %}
                (null, null, null, null, null) as results (test_name, model_name, status, failures, message)
            where test_name is not null
        )
        select * from results
        {%- if invocation_args_dict.select or invocation_args_dict.exclude %}
        union all
        select before.*
        from ops.test_results__before as before
        left anti join results
            on before.test_name = results.test_name
            and before.model_name = results.model_name
        {%- endif %}
    {%- endset -%}
    {%- do run_query(written) -%}
    {%- do run_query('drop table ops.test_results__before') -%}
{%- endif -%}
{%- endmacro %}
