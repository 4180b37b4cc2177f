{%- set mentions = [
    ('sales', 'product', 'product_code'),
    ('sales', 'customer', 'customer_code'),
    ('sales', 'store', 'store_code'),
    ('sales', 'channel', 'channel_code'),
    ('sales', 'sale', 'sale_code'),
    ('interactions', 'customer', 'customer_code'),
    ('interactions', 'channel', 'channel_code'),
    ('interactions', 'interaction', 'interaction_code'),
    ('products', 'product', 'product_code'),
    ('products', 'supplier', 'supplier_code'),
    ('customers', 'customer', 'customer_code'),
    ('stores', 'store', 'store_code'),
    ('channels', 'channel', 'channel_code'),
    ('inventory', 'product', 'product_code'),
] -%}
with

mentions as (

    {% for table, kind, code in mentions -%}
    select
        cast('{{ kind }}' as {{ dbt.type_string() }}) as kind,
        source_name,
        {{ code }} as code,
        load_id,
        source_line,
        loaded_at
    from {{ source('staging', table) }}
    where {{ code }} is not null
        and load_id <= {{ horizon() }}
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}
)

select * from mentions
