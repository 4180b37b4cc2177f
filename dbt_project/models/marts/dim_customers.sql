{{
    config(
        materialized='incremental',
        unique_key='customer_id',
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['load_id']},
        ],
    )
}}

with

customers as (

    select * from {{ ref('stg_customers') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}
    {%- endif %}

),

customer_keys as (

    select * from {{ ref('int_customer_keys') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}
        or customer_id = 0
        or customer_code in (select customer_code from customers)
    {%- endif %}

),

dim_customers as (

    select
        customer_keys.customer_id,
        customers.first_name,
        case when customer_keys.customer_id = 0 then 'Unknown' else customers.last_name end as last_name,
        customers.email,
        customers.phone,
        customers.address,
        customers.city,
        customers.country,
        customers.segment,
        customer_keys.loaded_at as created_at,
        customer_keys.customer_code,
        {{ is_inferred('customer_keys.customer_id', 'customers.customer_code') }} as is_inferred,
        {{ member_load_id('customer_keys.customer_id', 'customers.load_id', 'customer_keys.load_id') }} as load_id,
        coalesce(customers.is_deleted, false) as is_deleted
    from customer_keys
    left join customers
        on customer_keys.customer_code = customers.customer_code

)

select * from dim_customers
