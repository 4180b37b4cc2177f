{{ config(materialized='view') }}

-- No CTEs, as in stg_sale_versions: incremental metrics join into this view by index.

select
    versions.source_name,
    versions.sale_code,
    {{ key_of('versions.product_code', 'product_keys.product_id') }} as product_id,
    {{ key_of('versions.customer_code', 'customer_keys.customer_id') }} as customer_id,
    cast({{ reporting_time('versions.sold_at') }} as date) as sale_date,
    versions.total_amount,
    versions.is_deleted,
    versions.source_file,
    versions.source_line,
    versions.load_id,
    versions.loaded_at
from {{ ref('stg_sale_versions') }} as versions
left join {{ ref('int_product_keys') }} as product_keys
    on versions.product_code = product_keys.product_code
left join {{ ref('int_customer_keys') }} as customer_keys
    on versions.customer_code = customer_keys.customer_code
