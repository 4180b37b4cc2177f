{{ config(materialized='view') }}

-- No CTEs, as in stg_sale_versions.

select
    customer_keys.customer_id,
    versions.city,
    versions.country,
    versions.segment,
    versions.load_id
from {{ ref('stg_customer_versions') }} as versions
inner join {{ ref('int_customer_keys') }} as customer_keys
    on versions.customer_code = customer_keys.customer_code
