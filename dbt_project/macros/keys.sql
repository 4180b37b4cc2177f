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

arrived_keys as (

    {{ with_arrival_number('new_keys', natural_key) }}

),

numbered_keys as (

    select
        {{ as_key('last_key + arrival_number' if is_incremental() else 'arrival_number') }} as {{ id }},
        {{ natural_key | join(',\n        ') }},
        load_id,
        loaded_at
    from arrived_keys
    {%- if is_incremental() %}
    cross join (select coalesce(max({{ id }}), 0) as last_key from {{ this }}) as known_keys
    {%- endif %}

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


{#- A number as a surrogate key: an integer of 32 bits. One that does not fit stops the build. -#}
{% macro as_key(number) -%}
    {{ return(adapter.dispatch('as_key')(number)) }}
{%- endmacro %}

{% macro default__as_key(number) -%}
    cast({{ number }} as {{ dbt.type_int() }})
{%- endmacro %}

{% macro spark__as_key(number) -%}
    case
        when {{ number }} > 2147483647 then raise_error('{{ this }}: there are more keys than an integer can count')
        else cast({{ number }} as int)
    end
{%- endmacro %}


{#- Rows with their number in the order of load_id, source_line and `columns`. -#}
{% macro with_arrival_number(rows, columns) -%}
    {{ return(adapter.dispatch('with_arrival_number')(rows, columns)) }}
{%- endmacro %}

{% macro default__with_arrival_number(rows, columns) -%}
    select
        *,
        row_number() over (order by load_id, source_line, {{ columns | join(', ') }}) as arrival_number
    from {{ rows }}
{%- endmacro %}

{#- A window over everything is one task, however large the cluster. So each stretch of a million lines of a load is
    numbered by itself, after the number of rows before it. -#}
{% macro spark__with_arrival_number(rows, columns) -%}
    select
        {{ rows }}.*,
        stretches.rows_before + row_number() over (
            partition by {{ rows }}.load_id, floor({{ rows }}.source_line / 1000000)
            order by {{ rows }}.source_line, {% for column in columns %}{{ rows }}.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
        ) as arrival_number
    from {{ rows }}
    inner join (
        select
            load_id,
            stretch,
            sum(number_of_rows) over (order by load_id, stretch) - number_of_rows as rows_before
        from (
            select
                load_id,
                floor(source_line / 1000000) as stretch,
                count(*) as number_of_rows
            from {{ rows }}
            group by load_id, floor(source_line / 1000000)
        ) as counted
    ) as stretches
        on {{ rows }}.load_id = stretches.load_id
        and floor({{ rows }}.source_line / 1000000) = stretches.stretch
{%- endmacro %}
