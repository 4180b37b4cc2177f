{{
    config(
        materialized='incremental',
        unique_key='sale_id',
        pre_hook="{{ delete_tombstones(ref('stg_sales'), ref('int_sale_keys'), id='sale_id', code='sale_code') }}",
        indexes=[
            {'columns': ['load_id']},
            {'columns': ['sale_date']},
            {'columns': ['product_id', 'sale_date']},
            {'columns': ['customer_id', 'sale_date']},
            {'columns': ['amount_difference']},
        ],
    )
}}

with

sales as (

    select * from {{ ref('stg_sales') }}
    where not is_deleted
    {%- if is_incremental() %}
        and load_id > {{ watermark() }}
    {%- endif %}

),

sale_keys as (

    select * from {{ ref('int_sale_keys') }}

),

product_keys as (

    select * from {{ ref('int_product_keys') }}

),

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

store_keys as (

    select * from {{ ref('int_store_keys') }}

),

channel_keys as (

    select * from {{ ref('int_channel_keys') }}

),

fact_sales as (

    select
        sale_keys.sale_id,
        {{ key_of('sales.product_code', 'product_keys.product_id') }} as product_id,
        {{ key_of('sales.customer_code', 'customer_keys.customer_id') }} as customer_id,
        {{ key_of('sales.store_code', 'store_keys.store_id') }} as store_id,
        cast({{ reporting_time('sales.sold_at') }} as date) as sale_date,
        sales.quantity,
        sales.unit_price,
        sales.total_amount,
        sale_keys.loaded_at as created_at,
        {{ key_of('sales.channel_code', 'channel_keys.channel_id') }} as channel_id,
        sales.sale_code,
        sales.transaction_code,
        sales.source_name,
        sales.sold_at,
        sales.discount_amount,
        sales.load_id,
        sales.source_file,
        sales.source_line,
        cast(
            sales.total_amount - (sales.quantity * sales.unit_price - coalesce(sales.discount_amount, 0))
            as {{ money(20) }}
        ) as amount_difference
    from sales
    left join sale_keys
        on sales.source_name = sale_keys.source_name
        and sales.sale_code = sale_keys.sale_code
    left join product_keys
        on sales.product_code = product_keys.product_code
    left join customer_keys
        on sales.customer_code = customer_keys.customer_code
    left join store_keys
        on sales.store_code = store_keys.store_code
    left join channel_keys
        on sales.channel_code = channel_keys.channel_code

)

select * from fact_sales
