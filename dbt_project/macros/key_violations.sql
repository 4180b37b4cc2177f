{#- A query that returns rows where the columns are not the table's key. Where the database enforces keys it is
    asked whether it does, which costs the same at any size; elsewhere the rows are counted. -#}
{% macro key_violations(model, columns) -%}
    {{ return(adapter.dispatch('key_violations')(model, columns)) }}
{%- endmacro %}

{% macro default__key_violations(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{%- for column in columns %}
    or {{ column }} is null
{%- endfor %}
{% endmacro %}

{% macro postgres__key_violations(model, columns) %}
with

enforced_keys as (

    select string_agg(attribute.attname, ', ' order by key.ordinality) as columns
    from pg_constraint as pk
    cross join unnest(pk.conkey) with ordinality as key (attnum, ordinality)
    inner join pg_attribute as attribute
        on attribute.attrelid = pk.conrelid
        and attribute.attnum = key.attnum
    where pk.contype = 'p'
        and pk.conrelid = cast('{{ model }}' as regclass)
    group by pk.oid

)

select '{{ columns | join(', ') }}' as missing_key
where not exists (select 1 from enforced_keys where enforced_keys.columns = '{{ columns | join(', ') }}')
{% endmacro %}
