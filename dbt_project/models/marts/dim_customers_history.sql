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

landed as (

    select * from {{ ref('stg_customer_versions') }}
    {%- if is_incremental() %}
    where customer_code in (select customer_code from {{ ref('stg_customer_versions') }} where load_id > {{ watermark() }})
    {%- endif %}

),

customer_keys as (

    select * from {{ ref('int_customer_keys') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}
        or customer_id = 0
        or customer_code in (select customer_code from landed)
    {%- endif %}

),

spans as (

    {{ version_spans('landed', code='customer_code') }}

),

dim_customers_history as (

    select
        customer_keys.customer_id,
        coalesce(spans.valid_from, {{ beginning_of_time() }}) as valid_from,
        coalesce(spans.valid_to, {{ end_of_time() }}) as valid_to,
        spans.valid_to is null as is_current,
        spans.first_name,
        case when customer_keys.customer_id = 0 then 'Unknown' else spans.last_name end as last_name,
        spans.email,
        spans.phone,
        spans.address,
        spans.city,
        spans.country,
        spans.segment,
        customer_keys.customer_code,
        {{ is_inferred('customer_keys.customer_id', 'spans.customer_code') }} as is_inferred,
        {{ member_load_id('customer_keys.customer_id', 'spans.load_id', 'customer_keys.load_id') }} as load_id,
        coalesce(spans.is_deleted, false) as is_deleted
    from customer_keys
    left join spans
        on customer_keys.customer_code = spans.customer_code

)

select * from dim_customers_history
