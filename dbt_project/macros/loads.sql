{#- What a build reads of the landing: whole loads in the order of their ids. -#}

{#- The newest load that this build takes in: what lands while it runs waits for the next one.

    A number, like the watermark below: it lets the planner see how few rows are newer than the last build,
    where a subquery makes it prepare for a third of the table. -#}
{% macro horizon() -%}
    {{ number_in('select load_id from ' ~ ref('stg_horizon')) }}
{%- endmacro %}


{#- The newest load that an incremental model holds. -#}
{% macro watermark() -%}
    {{ number_in('select coalesce(max(load_id), 0) from ' ~ this) }}
{%- endmacro %}


{% macro number_in(query) -%}
    {{ run_query(query).columns[0][0] if execute else 0 }}
{%- endmacro %}


{#- Over the rows of a landed table: true for the newest version of a key, by order of arrival.

    An anti-join and not a window, so that a filter on load_id or on the key is applied before it. -#}
{% macro is_newest_version(table, alias, key) -%}
    not exists (
        select 1
        from {{ source('staging', table) }} as newer
        where newer.load_id <= {{ horizon() }}
            and (newer.load_id, newer.source_line, newer.source_file)
                > ({{ alias }}.load_id, {{ alias }}.source_line, {{ alias }}.source_file)
            {%- for column in key %}
            and newer.{{ column }} = {{ alias }}.{{ column }}
            {%- endfor %}
    )
{%- endmacro %}
