{#- The newest days of the metrics, by windows of so many days. -#}

{#- The daily values of the windows of some lengths, each up to the newest day of its metric: window_days, first_day,
    last_day, metric, dimension, dimension_value, period, value. -#}
{% macro values_of_windows(lengths) -%}
with

daily_values as (

    select
        metric,
        dimension,
        dimension_value,
        period,
        value
    from {{ ref('metrics_values') }}
    where grain = 'day'

),

newest_days as (

    select
        metric,
        max(period) as last_day
    from daily_values
    where dimension = 'total'
    group by metric

),

windows as (
{% for days in lengths %}
    select
        metric,
        {{ days }} as window_days,
        cast({{ dbt.dateadd('day', 1 - days, 'last_day') }} as date) as first_day,
        last_day
    from newest_days
    {{ 'union all' if not loop.last }}
{%- endfor %}
)

select
    windows.window_days,
    windows.first_day,
    windows.last_day,
    daily_values.*
from windows
inner join daily_values
    on windows.metric = daily_values.metric
    and daily_values.period between windows.first_day and windows.last_day
{%- endmacro %}
