{{ config(materialized='table') }}

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
{% for days in [7, 28, 90, 365] %}
    select
        metric,
        last_day,
        {{ days }} as window_days,
        cast({{ dbt.dateadd('day', 1 - days, 'last_day') }} as date) as first_day
    from newest_days
    {{ 'union all' if not loop.last }}
{%- endfor %}
),

measured as (

    select
        windows.metric,
        windows.window_days,
        daily_values.dimension,
        daily_values.dimension_value,
        windows.first_day,
        windows.last_day,
        cast(count(*) as {{ dbt.type_int() }}) as observations,
        avg(daily_values.value) as mean,
        stddev_samp(daily_values.value) as standard_deviation,
        min(daily_values.value) as minimum,
        percentile_cont(0.25) within group (order by daily_values.value) as first_quartile,
        percentile_cont(0.5) within group (order by daily_values.value) as median,
        percentile_cont(0.75) within group (order by daily_values.value) as third_quartile,
        max(daily_values.value) as maximum
    from windows
    inner join daily_values
        on windows.metric = daily_values.metric
        and daily_values.period between windows.first_day and windows.last_day
    group by
        windows.metric,
        windows.window_days,
        daily_values.dimension,
        daily_values.dimension_value,
        windows.first_day,
        windows.last_day

),

metrics_statistics as (

    select
        metric,
        window_days,
        dimension,
        dimension_value,
        first_day,
        last_day,
        observations,
        mean,
        median,
        standard_deviation,
        first_quartile,
        third_quartile,
        minimum,
        maximum,
        standard_deviation / nullif(abs(mean), 0) as coefficient_of_variation
    from measured

)

select * from metrics_statistics
