with

source as (

    select * from {{ source('staging', 'stores') }}
    where load_id <= {{ horizon() }}

),

renamed as (

    select
        -- ids
        store_code,

        -- attributes
        store_name,
        address,
        city,
        country,
        manager,

        -- flags
        active,
        is_deleted,

        -- times
        open_date,

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
    where {{ is_newest_version('stores', 'renamed', key=['store_code']) }}

)

select * from latest
