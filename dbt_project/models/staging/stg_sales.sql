with

source as (

    select * from {{ source('staging', 'sales') }}
    where load_id <= {{ horizon() }}

),

renamed as (

    select
        -- ids
        sale_code,
        transaction_code,
        product_code,
        customer_code,
        store_code,
        channel_code,

        -- numbers
        quantity,
        unit_price,
        discount_amount,
        total_amount,

        -- flags
        is_deleted,

        -- times
        sold_at,

        -- origin
        source_name,
        source_file,
        source_line,
        load_id,
        loaded_at
    from source

),

latest as (

    select *
    from renamed
    where {{ is_newest_version('sales', 'renamed', key=['source_name', 'sale_code']) }}

)

select * from latest
