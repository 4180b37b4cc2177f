{#- The versions of the rows that an increment has to look at: all that ever landed of the keys of which something
    landed since, the old ones too, as a correction moves amounts away from their days. In the first build and in
    a full refresh: all there are.

    Referenced, not imported as a CTE, since Postgres computes in full a CTE that is read twice. -#}
{% macro touched_versions(relation, key) -%}
    {%- if is_incremental() -%}
    select versions.*
    from {{ relation }} as versions
    inner join (
        select distinct
            {{ key | join(',\n            ') }}
        from {{ relation }}
        where load_id > {{ watermark() }}
    ) as arrived
        {%- for column in key %}
        {{ 'on' if loop.first else 'and' }} versions.{{ column }} = arrived.{{ column }}
        {%- endfor %}
    {%- else -%}
    select * from {{ relation }}
    {%- endif -%}
{%- endmacro %}
