-- No CTEs, as in stg_sale_versions.

select
    -- ids
    customer_code,

    -- attributes
    first_name,
    last_name,
    email,
    phone,
    address,
    city,
    country,
    segment,

    -- flags
    is_deleted,

    -- origin
    source_name,
    source_file,
    source_line,
    load_id,
    loaded_at,
    row_hash
from {{ source('staging', 'customers') }}
where load_id <= {{ horizon() }}
