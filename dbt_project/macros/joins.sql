{#- Joins of few rows into a long history. Whatever number of rows the planner expects, Postgres reads the history
    by index when it is asked for each row apart; the portable form is a join. -#}

{#- Each row of `rows` with aggregates over the rows of a relation that have its keys.

    `keys`: column of `rows` → column of the relation. `aggregates`: name → expression. `condition`: a filter on
    the relation, which has the alias `matched`. A row without a match has null or 0 in an aggregate. -#}
{% macro with_aggregates(rows, relation, keys, aggregates, condition=none) -%}
    {{ return(adapter.dispatch('with_aggregates')(rows, relation, keys, aggregates, condition)) }}
{%- endmacro %}

{% macro default__with_aggregates(rows, relation, keys, aggregates, condition) -%}
    select
        {{ rows }}.*
        {%- for name in aggregates %},
        aggregated.{{ name }}
        {%- endfor %}
    from {{ rows }}
    left join (
        select
            {%- for column in keys.values() %}
            matched.{{ column }} as {{ column }}_key,
            {%- endfor %}
            {%- for name, expression in aggregates.items() %}
            {{ expression }} as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ relation }} as matched
        {%- if condition %}
        where {{ condition }}
        {%- endif %}
        group by {% for column in keys.values() %}matched.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    ) as aggregated
        {%- for left_column, right_column in keys.items() %}
        {{ 'on' if loop.first else 'and' }} {{ rows }}.{{ left_column }} = aggregated.{{ right_column }}_key
        {%- endfor %}
{%- endmacro %}

{% macro postgres__with_aggregates(rows, relation, keys, aggregates, condition) -%}
    select
        {{ rows }}.*,
        aggregated.*
    from {{ rows }}
    cross join lateral (
        select
            {%- for name, expression in aggregates.items() %}
            {{ expression }} as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ relation }} as matched
        where
            {%- for left_column, right_column in keys.items() %}
            {{ 'and ' if not loop.first }}matched.{{ right_column }} = {{ rows }}.{{ left_column }}
            {%- endfor %}
            {%- if condition %}
            and {{ condition }}
            {%- endif %}
    ) as aggregated
{%- endmacro %}


{#- Each row of `rows` with columns of the relation's last row on or before its day, null where there is none.
    The relation has one row for each `key` and `relation_day`. `columns`: name → column of the relation. -#}
{% macro with_last_before(rows, day, relation, relation_day, key, columns, condition) -%}
    {{ return(adapter.dispatch('with_last_before')(rows, day, relation, relation_day, key, columns, condition)) }}
{%- endmacro %}

{% macro default__with_last_before(rows, day, relation, relation_day, key, columns, condition) -%}
    select
        {{ rows }}.*
        {%- for name, column in columns.items() %},
        spans.{{ column }} as {{ name }}
        {%- endfor %}
    from {{ rows }}
    left join (
        select
            matched.*,
            lead(matched.{{ relation_day }}) over (
                partition by matched.{{ key }} order by matched.{{ relation_day }}
            ) as next_day
        from {{ relation }} as matched
        where {{ condition }}
    ) as spans
        on {{ rows }}.{{ key }} = spans.{{ key }}
        and {{ rows }}.{{ day }} >= spans.{{ relation_day }}
        and ({{ rows }}.{{ day }} < spans.next_day or spans.next_day is null)
{%- endmacro %}

{% macro postgres__with_last_before(rows, day, relation, relation_day, key, columns, condition) -%}
    select
        {{ rows }}.*
        {%- for name, column in columns.items() %},
        last_before.{{ column }} as {{ name }}
        {%- endfor %}
    from {{ rows }}
    left join lateral (
        select *
        from {{ relation }} as matched
        where matched.{{ key }} = {{ rows }}.{{ key }}
            and matched.{{ relation_day }} <= {{ rows }}.{{ day }}
            and {{ condition }}
        order by matched.{{ relation_day }} desc
        limit 1
    ) as last_before
        on true
{%- endmacro %}


{#- The rows of a relation that have a key of `rows` and a day on or after that row's `since`: the columns of the
    relation. `offset 0` keeps Postgres from turning it into a join over the whole relation. -#}
{% macro rows_since(rows, since, relation, relation_day, key) -%}
    {{ return(adapter.dispatch('rows_since')(rows, since, relation, relation_day, key)) }}
{%- endmacro %}

{% macro default__rows_since(rows, since, relation, relation_day, key) -%}
    select matched.*
    from {{ rows }}
    inner join {{ relation }} as matched
        on {{ rows }}.{{ key }} = matched.{{ key }}
        and matched.{{ relation_day }} >= {{ rows }}.{{ since }}
{%- endmacro %}

{% macro postgres__rows_since(rows, since, relation, relation_day, key) -%}
    select later.*
    from {{ rows }}
    cross join lateral (
        select *
        from {{ relation }} as matched
        where matched.{{ key }} = {{ rows }}.{{ key }}
            and matched.{{ relation_day }} >= {{ rows }}.{{ since }}
        offset 0
    ) as later
{%- endmacro %}


{#- Columns of each row of `rows` with the median of an expression over the rows with the same keys on the `days` days
    before it, and the number of those of which it is not null. -#}
{% macro with_rolling_median(rows, columns, keys, day, days, value, median, observations) -%}
    {{ return(adapter.dispatch('with_rolling_median')(rows, columns, keys, day, days, value, median, observations)) }}
{%- endmacro %}

{% macro default__with_rolling_median(rows, columns, keys, day, days, value, median, observations) -%}
    select
        {%- for column in columns %}
        current_rows.{{ column }},
        {%- endfor %}
        percentile_cont(0.5) within group (order by earlier.median_value) as {{ median }},
        count(earlier.median_value) as {{ observations }}
    from {{ rows }} as current_rows
    left join (
        select
            {%- for key in keys %}
            {{ rows }}.{{ key }},
            {%- endfor %}
            {{ rows }}.{{ day }},
            {{ value }} as median_value
        from {{ rows }}
    ) as earlier
        on earlier.{{ day }} >= {{ dbt.dateadd('day', -days, 'current_rows.' ~ day) }}
        and earlier.{{ day }} < current_rows.{{ day }}
        {%- for key in keys %}
        and earlier.{{ key }} = current_rows.{{ key }}
        {%- endfor %}
    group by {% for column in columns %}current_rows.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}

{% macro postgres__with_rolling_median(rows, columns, keys, day, days, value, median, observations) -%}
    select
        {%- for column in columns %}
        windows.{{ column }},
        {%- endfor %}
        medians.median as {{ median }},
        coalesce(cardinality(windows.earlier_values), 0) as {{ observations }}
    from (
        select
            {{ rows }}.*,
            array_agg({{ value }}) filter (where {{ value }} is not null) over (
                partition by {% for key in keys %}{{ rows }}.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
                order by {{ rows }}.{{ day }}
                range between interval '{{ days }} days' preceding and interval '1 day' preceding
            ) as earlier_values
        from {{ rows }}
    ) as windows
    cross join lateral (
        select percentile_cont(0.5) within group (order by earlier.median_value) as median
        from unnest(windows.earlier_values) as earlier (median_value)
    ) as medians
{%- endmacro %}
