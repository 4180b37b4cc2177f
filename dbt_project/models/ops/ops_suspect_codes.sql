{{ config(alias='suspect_codes', materialized='view') }}

{%- set kinds = ['product', 'store', 'channel', 'supplier'] %}

with

codes as (

    {% for kind in kinds -%}
    select
        cast('{{ kind }}' as {{ dbt.type_string() }}) as kind,
        {{ kind }}_id as id,
        {{ kind }}_code as code,
        load_id
    from {{ ref('int_' ~ kind ~ '_keys') }}
    where {{ kind }}_code is not null
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}
),

-- Without case, spaces, tabs and non-breaking spaces.
plain_codes as (

    select
        *,
        lower(replace(replace(replace(code, ' ', ''), chr(9), ''), chr(160), '')) as plain_code
    from codes

),

counted_codes as (

    select
        *,
        count(*) over (partition by kind, plain_code) as alike
    from plain_codes

),

ops_suspect_codes as (

    select
        kind,
        id,
        code,
        plain_code,
        load_id
    from counted_codes
    where alike > 1

)

select * from ops_suspect_codes
