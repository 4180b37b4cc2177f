{#- The history of a dimension's members, from the landed versions of their rows. Landing knows when a row arrived,
    not since when it is true, so a version is valid from the day on which it landed; the first one since ever, as
    sales are often older than the first list of products. The grain is the day: of several versions of a day
    the last one counts. -#}

{#- A select of the spans of time in which each code had the same values: the columns of `versions`, valid_from
    (null: since ever) and valid_to (the day on which it ended; null: not yet). -#}
{% macro version_spans(versions, code) -%}
    select
        *,
        case when previous_hash is not null then landed_on end as valid_from,
        lead(landed_on) over (partition by {{ code }} order by landed_on) as valid_to
    from (
        select
            *,
            lag(row_hash) over (partition by {{ code }} order by landed_on) as previous_hash,
            lag(is_deleted) over (partition by {{ code }} order by landed_on) as previous_is_deleted
        from (
            select
                *,
                row_number() over (
                    partition by {{ code }}, landed_on
                    order by load_id desc, source_line desc, source_file desc
                ) as version_of_day
            from (
                select
                    *,
                    cast({{ reporting_time('loaded_at') }} as date) as landed_on
                from {{ versions }}
            ) as dated_versions
        ) as ordered_versions
        where version_of_day = 1
    ) as versions_of_days
    -- A row that says what the one before it said is no new version.
    where previous_hash is null
        or previous_hash <> row_hash
        or previous_is_deleted <> is_deleted
{%- endmacro %}


{#- A select of the products of which a version landed since the model's newest load, with the first day of which the
    cost may be another one: the first version of a product holds for all its days, a later one from the day on which it
    landed. -#}
{% macro changed_costs() -%}
    {%- set known = watermark() -%}
    select
        product_id,
        case
            when min(landed_on) < min(case when load_id > {{ known }} then landed_on end)
                then min(case when load_id > {{ known }} then landed_on end)
            else {{ beginning_of_time() }}
        end as first_day
    from {{ ref('int_product_versions') }}
    group by product_id
    having max(load_id) > {{ known }}
{%- endmacro %}
