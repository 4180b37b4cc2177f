with

channel_keys as (

    select * from {{ ref('int_channel_keys') }}

),

channels as (

    select * from {{ ref('stg_channels') }}

),

dim_channels as (

    select
        channel_keys.channel_id,
        case when channel_keys.channel_id = 0 then 'Unknown' else channels.channel_name end as channel_name,
        channels.channel_type,
        channels.description,
        {{ is_active('channels.active', 'channels.is_deleted') }} as active,
        channel_keys.loaded_at as created_at,
        channel_keys.channel_code,
        {{ is_inferred('channel_keys.channel_id', 'channels.channel_code') }} as is_inferred,
        {{ member_load_id('channel_keys.channel_id', 'channels.load_id', 'channel_keys.load_id') }} as load_id,
        coalesce(channels.is_deleted, false) as is_deleted
    from channel_keys
    left join channels
        on channel_keys.channel_code = channels.channel_code

)

select * from dim_channels
