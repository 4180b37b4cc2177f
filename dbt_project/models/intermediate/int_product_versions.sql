{{ config(materialized='view') }}

-- No CTEs, as in stg_sale_versions.

select
    product_keys.product_id,
    versions.product_code,
    versions.category,
    versions.subcategory,
    cast({{ reporting_time('versions.loaded_at') }} as date) as landed_on,
    versions.load_id
from {{ ref('stg_product_versions') }} as versions
inner join {{ ref('int_product_keys') }} as product_keys
    on versions.product_code = product_keys.product_code
