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

averages as (

    select
        metric,
        dimension,
        dimension_value,
        last_day,
        avg(case when day_number > -7 then value end) as moving_average_7,
        avg(case when day_number > -28 then value end) as moving_average_28
    from recent_days
    group by metric, dimension, dimension_value, last_day

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

moments as (

    select
        window_days,
        metric,
        dimension,
        dimension_value,
        cast(count(*) as {{ dbt.type_int() }}) as observations,
        cast(count(*) - count(distinct weekday) - 1 as {{ dbt.type_int() }}) as degrees_of_freedom,
        sum(x * x) as sum_xx,
        sum(x * y) as sum_xy,
        sum(y * y) as sum_yy
    from deviations
    group by window_days, metric, dimension, dimension_value

),

slopes as (

    select
        *,
        sum_xy / nullif(sum_xx, 0) as slope
    from moments

),

residuals as (

    select
        deviations.window_days,
        deviations.metric,
        deviations.dimension,
        deviations.dimension_value,
        sum(power(deviations.y - slopes.slope * deviations.x, 2)) as sum_of_squares
    from deviations
    inner join slopes
        on deviations.window_days = slopes.window_days
        and deviations.metric = slopes.metric
        and deviations.dimension = slopes.dimension
        and deviations.dimension_value = slopes.dimension_value
    group by deviations.window_days, deviations.metric, deviations.dimension, deviations.dimension_value

),

fitted as (

    select
        slopes.*,
        case when slopes.sum_yy > 0 then 1 - residuals.sum_of_squares / slopes.sum_yy end as r_squared,
        case
            when slopes.degrees_of_freedom > 0 and residuals.sum_of_squares > 0
                then slopes.slope / sqrt(residuals.sum_of_squares / slopes.degrees_of_freedom / slopes.sum_xx)
        end as t_statistic
    from slopes
    inner join residuals
        on slopes.window_days = residuals.window_days
        and slopes.metric = residuals.metric
        and slopes.dimension = residuals.dimension
        and slopes.dimension_value = residuals.dimension_value

),

tested as (

    select
        *,
        {{ student_t_significance('t_statistic', 'degrees_of_freedom', largest=88) }} as significance
    from fitted

),

metrics_trends as (

    select
        tested.metric,
        tested.window_days,
        tested.dimension,
        tested.dimension_value,
        averages.last_day,
        tested.observations,
        averages.moving_average_7,
        averages.moving_average_28,
        tested.slope,
        tested.r_squared,
        tested.t_statistic,
        tested.degrees_of_freedom,
        tested.significance,
        case
            when tested.observations * 2 < tested.window_days or tested.degrees_of_freedom < 1 then 'too little data'
            when tested.sum_yy = 0 then 'flat'
            when tested.significance > 0.05 then 'flat'
            when tested.slope > 0 then 'up'
            else 'down'
        end as direction
    from tested
    inner join averages
        on tested.metric = averages.metric
        and tested.dimension = averages.dimension
        and tested.dimension_value = averages.dimension_value

)

select * from metrics_trends
