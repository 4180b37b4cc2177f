with

source as (

    select * from {{ source('staging', 'interactions') }}
    where load_id <= {{ horizon() }}

),

renamed as (

    select
        -- ids
        interaction_code,
        customer_code,
        channel_code,

        -- attributes
        interaction_type,
        status,

        -- numbers
        duration,

        -- flags
        is_deleted,

        -- times
        occurred_at,

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
    where {{ is_newest_version('interactions', 'renamed', key=['source_name', 'interaction_code']) }}

)

select * from latest
