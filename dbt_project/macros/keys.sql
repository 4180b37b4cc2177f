{#- Integer surrogate keys: given once for each natural key, in the order in which the keys first landed. The
    landing is append-only and builds take in whole loads, so the numbers are the same however the loads were
    cut into builds, and after a full refresh. -#}

{#- The model of a key table. `kind` is a kind of stg_mentions, `id` and `code` name the columns.

    Dimensions have a member 0, "unknown". Its row carries the newest load that was looked through, so that
    the next build begins there even when the last loads held no new key. A sale or an interaction is known
    by its source and its code (`per_source`): two sources may use the same codes. -#}
{% macro key_table(kind, id, code, per_source=false) -%}
{%- set natural_key = ['source_name', code] if per_source else [code] -%}
with

mentions as (

    select
        source_name,
        code as {{ code }},
        load_id,
        source_line,
        loaded_at
    from {{ ref('stg_mentions') }}
    where kind = '{{ kind }}'
    {%- if is_incremental() %}
        and load_id > {{ watermark() }}
    {%- endif %}

),

mentions_by_load as (

    select
        {{ natural_key | join(', ') }},
        load_id,
        min(source_line) as source_line,
        min(loaded_at) as loaded_at
    from mentions
    group by {{ natural_key | join(', ') }}, load_id

),

ordered_mentions as (

    select
        *,
        row_number() over (partition by {{ natural_key | join(', ') }} order by load_id) as mention_number
    from mentions_by_load

),

new_keys as (

    select *
    from ordered_mentions
    where mention_number = 1
    {%- if is_incremental() %}
        and not exists (
            select 1
            from {{ this }} as known
            where
            {%- for column in natural_key %}
                {{ 'and ' if not loop.first }}known.{{ column }} = ordered_mentions.{{ column }}
            {%- endfor %}
        )
    {%- endif %}

),

numbered_keys as (

    select
        cast(
            {% if is_incremental() %}(select coalesce(max({{ id }}), 0) from {{ this }}) + {% endif -%}
            row_number() over (order by load_id, source_line, {{ natural_key | join(', ') }})
            as {{ dbt.type_int() }}
        ) as {{ id }},
        {{ natural_key | join(',\n        ') }},
        load_id,
        loaded_at
    from new_keys

)
{%- if not per_source %},

unknown_member as (

    select
        0 as {{ id }},
        cast(null as {{ dbt.type_string() }}) as {{ code }},
        load_id,
        cast(null as {{ dbt.type_timestamp() }}) as loaded_at
    from {{ ref('stg_horizon') }}

),

all_keys as (

    select * from unknown_member
    union all
    select * from numbered_keys

)

select * from all_keys
{%- else %}

select * from numbered_keys
{%- endif %}
{%- endmacro %}


{#- The surrogate of a code: 0, "unknown", where there is no code; null, which no mart accepts, where the key
    table was not built with the rest. -#}
{% macro key_of(code, id) -%}
    case when {{ code }} is null then 0 else {{ id }} end
{%- endmacro %}
