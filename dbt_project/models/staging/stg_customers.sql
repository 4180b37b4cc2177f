with

source as (

    select * from {{ source('staging', 'customers') }}
    where load_id <= {{ horizon() }}

),

renamed as (

    select
        -- ids
        customer_code,

        -- attributes
        first_name,
        last_name,
        email,
        phone,
        address,
        city,
        country,
        segment,

        -- flags
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
    where {{ is_newest_version('customers', 'renamed', key=['customer_code']) }}

)

select * from latest
