with

source as (

    select * from {{ source('staging', 'channels') }}
    where load_id <= {{ horizon() }}

),

renamed as (

    select
        -- ids
        channel_code,

        -- attributes
        channel_name,
        channel_type,
        description,

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
    where {{ is_newest_version('channels', 'renamed', key=['channel_code']) }}

)

select * from latest
