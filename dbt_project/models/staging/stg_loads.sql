with

source as (

    select * from {{ source('ops', 'loads') }}
    where state = 'loaded'
        and load_id <= {{ horizon() }}
        and entity in ({{ "'" ~ landed_amounts() | join("', '") ~ "'" }})

),

renamed as (

    select
        -- ids
        load_id,
        source_name,
        entity,

        -- numbers
        rows_read,
        rows_accepted,
        rows_rejected,
        rows_new,
        rows_deleted,
        amount_accepted,
        amount_new
    from source

)

select * from renamed
