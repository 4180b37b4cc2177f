{{
    config(
        unique_key=['product_id', 'stock_date'],
        indexes=[
            {'columns': ['product_id', 'stock_date'], 'unique': true},
            {'columns': ['stock_date']},
            {'columns': ['load_id']},
        ],
    )
}}

with

inventory as (

    select * from {{ ref('stg_inventory') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}
    {%- endif %}

),

product_keys as (

    select * from {{ ref('int_product_keys') }}

),

stock_levels as (

    select
        product_keys.product_id,
        inventory.stock_date,
        inventory.stock_level,
        inventory.is_deleted,
        inventory.load_id,
        inventory.first_loaded_at as created_at
    from inventory
    left join product_keys
        on inventory.product_code = product_keys.product_code

)

select * from stock_levels
