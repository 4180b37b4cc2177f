with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

customers as (

    select * from {{ ref('stg_customers') }}

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
        {{ member_load_id('customer_keys.customer_id', 'customers.load_id', 'customer_keys.load_id') }} as load_id
    from customer_keys
    left join customers
        on customer_keys.customer_code = customers.customer_code

)

select * from dim_customers
