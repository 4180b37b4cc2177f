{#- Keys that were deleted at their source: what a fact does with a tombstone. -#}

{#- A pre-hook of an incremental fact: removes the rows whose newest version, landed since the fact's watermark,
    says that they are deleted. delete+insert alone only replaces rows. The surrogate key stays given, so that a
    row that comes back comes back under it. -#}
{% macro delete_tombstones(landed, keys, id, code) -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where {{ id }} in (
        select keys.{{ id }}
        from {{ landed }} as landed
        inner join {{ keys }} as keys
            on landed.source_name = keys.source_name
            and landed.{{ code }} = keys.{{ code }}
        where landed.is_deleted
            and landed.load_id > {{ watermark() }}
    )
    {%- endif -%}
{%- endmacro %}
