-- No CTEs, unlike its neighbours: Postgres plans a view with CTEs by itself, and a join into it cannot use an index.

select
    -- ids
    sale_code,
    product_code,
    customer_code,

    -- numbers
    total_amount,

    -- flags
    is_deleted,

    -- times
    sold_at,

    -- origin
    source_name,
    source_file,
    source_line,
    load_id,
    loaded_at
from {{ source('staging', 'sales') }}
where load_id <= {{ horizon() }}
