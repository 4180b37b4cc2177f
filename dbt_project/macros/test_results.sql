{#- What the tests found, as a table for readers: ops.test_results holds the newest result of each test, a row for
    each model that it looks at. Called at the end of each run of dbt that tests. -#}
{% macro keep_test_results(results) -%}
    {{ return(adapter.dispatch('keep_test_results')(results)) }}
{%- endmacro %}

{% macro default__keep_test_results(results) -%}
{%- endmacro %}

{% macro postgres__keep_test_results(results) -%}
{%- if execute and flags.WHICH in ('build', 'test') -%}
    {%- set rows = [] -%}
    {%- for result in results if result.node.resource_type in ('test', 'unit_test') -%}
        {%- for model in result.node.depends_on.nodes if model.startswith('model.') -%}
            {%- do rows.append([
                result.node.name, model.split('.')[2], result.status | string, result.failures,
                (result.message or '')[:500] | replace("'", "''"),
            ]) -%}
        {%- endfor -%}
    {%- endfor -%}
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
