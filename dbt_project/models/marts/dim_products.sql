{{
    config(
        materialized='incremental',
        unique_key='product_id',
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['load_id']},
        ],
    )
}}

with

products as (

    select * from {{ ref('stg_products') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}
    {%- endif %}

),

product_keys as (

    select * from {{ ref('int_product_keys') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}
        or product_id = 0
        or product_code in (select product_code from products)
    {%- endif %}

),

supplier_keys as (

    select * from {{ ref('int_supplier_keys') }}

),

dim_products as (

    select
        product_keys.product_id,
        case when product_keys.product_id = 0 then 'Unknown' else products.product_name end as product_name,
        products.category,
        products.subcategory,
        products.unit_cost,
        products.unit_price,
        supplier_keys.supplier_id,
        {{ is_active('products.active', 'products.is_deleted') }} as active,
        product_keys.loaded_at as created_at,
        product_keys.product_code,
        {{ is_inferred('product_keys.product_id', 'products.product_code') }} as is_inferred,
        {{ member_load_id('product_keys.product_id', 'products.load_id', 'product_keys.load_id') }} as load_id,
        coalesce(products.is_deleted, false) as is_deleted
    from product_keys
    left join products
        on product_keys.product_code = products.product_code
    left join supplier_keys
        on products.supplier_code = supplier_keys.supplier_code

)

select * from dim_products
