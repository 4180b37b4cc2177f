-- No CTEs, as in stg_sale_versions.

select
    -- ids
    interaction_code,

    -- flags
    is_deleted,

    -- times
    occurred_at,

    -- origin
    source_name,
    source_file,
    source_line,
    load_id
from {{ source('staging', 'interactions') }}
where load_id <= {{ horizon() }}
