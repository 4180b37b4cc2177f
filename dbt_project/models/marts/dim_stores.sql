with

store_keys as (

    select * from {{ ref('int_store_keys') }}

),

stores as (

    select * from {{ ref('stg_stores') }}

),

dim_stores as (

    select
        store_keys.store_id,
        case when store_keys.store_id = 0 then 'Unknown' else stores.store_name end as store_name,
        stores.address,
        stores.city,
        stores.country,
        stores.manager,
        stores.open_date,
        {{ is_active('stores.active', 'stores.is_deleted') }} as active,
        store_keys.loaded_at as created_at,
        store_keys.store_code,
        {{ is_inferred('store_keys.store_id', 'stores.store_code') }} as is_inferred,
        {{ member_load_id('store_keys.store_id', 'stores.load_id', 'store_keys.load_id') }} as load_id,
        coalesce(stores.is_deleted, false) as is_deleted
    from store_keys
    left join stores
        on store_keys.store_code = stores.store_code

)

select * from dim_stores
