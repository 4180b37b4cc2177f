with

source as (

    select * from {{ source('staging', 'products') }}
    where load_id <= {{ horizon() }}

),

renamed as (

    select
        -- ids
        product_code,
        supplier_code,

        -- attributes
        product_name,
        category,
        subcategory,

        -- numbers
        unit_cost,
        unit_price,

        -- flags
        active,
        is_deleted,

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
    where {{ is_newest_version('products', 'renamed', key=['product_code']) }}

)

select * from latest
