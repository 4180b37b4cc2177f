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

landed as (

    select * from {{ ref('stg_product_versions') }}
    {%- if is_incremental() %}
    where product_code in (select product_code from {{ ref('stg_product_versions') }} where load_id > {{ watermark() }})
    {%- endif %}

),

product_keys as (

    select * from {{ ref('int_product_keys') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}
        or product_id = 0
        or product_code in (select product_code from landed)
    {%- endif %}

),

supplier_keys as (

    select * from {{ ref('int_supplier_keys') }}

),

spans as (

    {{ version_spans('landed', code='product_code') }}

),

dim_products_history as (

    select
        product_keys.product_id,
        coalesce(spans.valid_from, {{ beginning_of_time() }}) as valid_from,
        coalesce(spans.valid_to, {{ end_of_time() }}) as valid_to,
        spans.valid_to is null as is_current,
        case when product_keys.product_id = 0 then 'Unknown' else spans.product_name end as product_name,
        spans.category,
        spans.subcategory,
        spans.unit_cost,
        spans.unit_price,
        supplier_keys.supplier_id,
        {{ is_active('spans.active', 'spans.is_deleted') }} as active,
        product_keys.product_code,
        {{ is_inferred('product_keys.product_id', 'spans.product_code') }} as is_inferred,
        {{ member_load_id('product_keys.product_id', 'spans.load_id', 'product_keys.load_id') }} as load_id,
        coalesce(spans.is_deleted, false) as is_deleted
    from product_keys
    left join spans
        on product_keys.product_code = spans.product_code
    left join supplier_keys
        on spans.supplier_code = supplier_keys.supplier_code

)

select * from dim_products_history
