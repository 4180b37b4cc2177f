with

source as (

    select * from {{ source('staging', 'inventory') }}
    where load_id <= {{ horizon() }}

),

renamed as (

    select
        -- ids
        product_code,

        -- numbers
        stock_level,

        -- flags
        is_deleted,

        -- times
        stock_date,

        -- origin
        source_name,
        source_file,
        source_line,
        load_id,
        loaded_at
    from source

),

latest as (

    select
        renamed.*,
        (
            select min(version.loaded_at)
            from {{ source('staging', 'inventory') }} as version
            where version.product_code = renamed.product_code
                and version.stock_date = renamed.stock_date
        ) as first_loaded_at
    from renamed
    where {{ is_newest_version('inventory', 'renamed', key=['product_code', 'stock_date']) }}

)

select * from latest
