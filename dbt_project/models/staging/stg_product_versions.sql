-- No CTEs, as in stg_sale_versions.

select
    -- ids
    product_code,
    supplier_code,

    -- attributes
    product_name,
    category,
    subcategory,

    -- numbers
    unit_cost,
    unit_price,

    -- flags
    active,
    is_deleted,

    -- origin
    source_name,
    source_file,
    source_line,
    load_id,
    loaded_at,
    row_hash
from {{ source('staging', 'products') }}
where load_id <= {{ horizon() }}
