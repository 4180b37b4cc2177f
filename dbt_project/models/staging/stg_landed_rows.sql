-- No CTEs, as in stg_sale_versions.

{% for table, amount in landed_amounts().items() -%}
select
    cast('{{ table }}' as {{ dbt.type_string() }}) as entity,
    load_id,
    {{ amount or 'cast(null as ' ~ money() ~ ')' }} as amount
from {{ source('staging', table) }}
where load_id <= {{ horizon() }}
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}
