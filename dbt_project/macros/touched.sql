{#- The versions of the sales that an incremental metric has to look at: all that ever landed of the sales of
    which something landed since, the old ones too, as a correction moves amounts away from their days. In
    the first build and in a full refresh: all there are.

    Referenced, not imported as a CTE, since Postgres computes in full a CTE that is read twice. -#}
{% macro touched_sale_versions() -%}
    {%- if is_incremental() -%}
    select versions.*
    from {{ ref('int_sale_versions') }} as versions
    inner join (
        select distinct
            source_name,
            sale_code
        from {{ ref('int_sale_versions') }}
        where load_id > {{ watermark() }}
    ) as arrived
        on versions.source_name = arrived.source_name
        and versions.sale_code = arrived.sale_code
    {%- else -%}
    select * from {{ ref('int_sale_versions') }}
    {%- endif -%}
{%- endmacro %}
