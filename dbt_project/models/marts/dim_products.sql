with

product_keys as (

    select * from {{ ref('int_product_keys') }}

),

supplier_keys as (

    select * from {{ ref('int_supplier_keys') }}

),

products as (

    select * from {{ ref('stg_products') }}

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
        coalesce(products.active, true) as active,
        product_keys.loaded_at as created_at,
        product_keys.product_code,
        {{ is_inferred('product_keys.product_id', 'products.product_code') }} as is_inferred,
        {{ member_load_id('product_keys.product_id', 'products.load_id', 'product_keys.load_id') }} as load_id
    from product_keys
    left join products
        on product_keys.product_code = products.product_code
    left join supplier_keys
        on products.supplier_code = supplier_keys.supplier_code

)

select * from dim_products
