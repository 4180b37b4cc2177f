{{
    config(
        materialized='incremental',
        unique_key='interaction_id',
        pre_hook="{{ delete_tombstones(ref('stg_interactions'), ref('int_interaction_keys'), id='interaction_id', code='interaction_code') }}",
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['load_id']},
            {'columns': ['interaction_date']},
        ],
    )
}}

with

interactions as (

    select * from {{ ref('stg_interactions') }}
    where not is_deleted
    {%- if is_incremental() %}
        and load_id > {{ watermark() }}
    {%- endif %}

),

interaction_keys as (

    select * from {{ ref('int_interaction_keys') }}

),

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

channel_keys as (

    select * from {{ ref('int_channel_keys') }}

),

fact_interactions as (

    select
        interaction_keys.interaction_id,
        {{ key_of('interactions.customer_code', 'customer_keys.customer_id') }} as customer_id,
        {{ key_of('interactions.channel_code', 'channel_keys.channel_id') }} as channel_id,
        interactions.interaction_type,
        {{ reporting_time('interactions.occurred_at') }} as interaction_date,
        interactions.duration,
        interactions.status,
        interaction_keys.loaded_at as created_at,
        interactions.interaction_code,
        interactions.source_name,
        interactions.load_id,
        interactions.source_file,
        interactions.source_line
    from interactions
    left join interaction_keys
        on interactions.source_name = interaction_keys.source_name
        and interactions.interaction_code = interaction_keys.interaction_code
    left join customer_keys
        on interactions.customer_code = customer_keys.customer_code
    left join channel_keys
        on interactions.channel_code = channel_keys.channel_code

)

select * from fact_interactions
