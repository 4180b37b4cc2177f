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

-- Days of 90 days, numbered from 0, the newest day, backwards.
recent_days as (

    select
        daily_values.metric,
        daily_values.dimension,
        daily_values.dimension_value,
        newest_days.last_day,
        -cast({{ dbt.datediff('daily_values.period', 'newest_days.last_day', 'day') }} as {{ double_type() }}) as day_number,
        daily_values.value
    from newest_days
    inner join daily_values
        on newest_days.metric = daily_values.metric
        and daily_values.period <= newest_days.last_day
        and daily_values.period > {{ dbt.dateadd('day', -90, 'newest_days.last_day') }}

),

windowed_days as (

    select
        windows.window_days,
        recent_days.*,
        {#- Whole weeks before the newest day share a weekday. #}
        recent_days.day_number - 7 * floor(recent_days.day_number / 7) as weekday
    from recent_days
    inner join (select 28 as window_days union all select 90 as window_days) as windows
        on recent_days.day_number > -windows.window_days

),

-- The week's season removed: from day and value the mean of their weekday.
deviations as (

    select
        *,
        day_number - avg(day_number) over weekday_window as x,
        value - avg(value) over weekday_window as y
    from windowed_days
    window weekday_window as (partition by window_days, metric, dimension, dimension_value, weekday)

),

-- By windows and not by a join with a sum, which Postgres may plan for one row and never end.
sums as (

    select
        *,
        sum(x * x) over series as sum_xx,
        sum(x * y) over series / nullif(sum(x * x) over series, 0) as slope
    from deviations
    window series as (partition by window_days, metric, dimension, dimension_value)

),

moments as (

    select
        window_days,
        metric,
        dimension,
        dimension_value,
        last_day,
        cast(count(*) as {{ dbt.type_int() }}) as observations,
        avg(case when day_number > -7 then value end) as moving_average_7,
        avg(case when day_number > -28 then value end) as moving_average_28,
        cast(count(*) - count(distinct weekday) - 1 as {{ dbt.type_int() }}) as degrees_of_freedom,
        sum_xx,
        slope,
        sum(y * y) as sum_yy,
        sum(power(y - slope * x, 2)) as sum_of_squares
    from sums
    group by window_days, metric, dimension, dimension_value, last_day, sum_xx, slope

),

fitted as (

    select
        *,
        case when sum_yy > 0 then 1 - sum_of_squares / sum_yy end as r_squared,
        case
            when degrees_of_freedom > 0 and sum_of_squares > 0
                then slope / sqrt(sum_of_squares / degrees_of_freedom / sum_xx)
        end as t_statistic
    from moments

),

tested as (

    select
        *,
        {{ student_t_significance('t_statistic', 'degrees_of_freedom', largest=88) }} as significance
    from fitted

),

metrics_trends as (

    select
        metric,
        window_days,
        dimension,
        dimension_value,
        last_day,
        observations,
        moving_average_7,
        moving_average_28,
        slope,
        r_squared,
        t_statistic,
        degrees_of_freedom,
        significance,
        case
            when observations * 2 < window_days or degrees_of_freedom < 1 then 'too little data'
            when sum_yy = 0 then 'flat'
            when significance > 0.05 then 'flat'
            when slope > 0 then 'up'
            else 'down'
        end as direction
    from tested

)

select * from metrics_trends
