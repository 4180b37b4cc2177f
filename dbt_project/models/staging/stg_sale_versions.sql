-- No CTEs, unlike its neighbours: Postgres plans a view with CTEs by itself, and a join into it cannot use an index.

select
    -- ids
    sale_code,
    product_code,
    customer_code,

    -- times
    sold_at,

    -- origin
    source_name,
    load_id,
    loaded_at
from {{ source('staging', 'sales') }}
where load_id <= {{ horizon() }}
