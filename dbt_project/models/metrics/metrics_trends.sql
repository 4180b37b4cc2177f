{{ config(materialized='table') }}

with

windowed_days as (

    {{ values_of_windows([28, 90]) | indent(4) }}

),

-- Days are numbered from 0, the newest day, backwards; whole weeks before it share a weekday.
numbered_days as (

    select
        *,
        -cast({{ dbt.datediff('period', 'last_day', 'day') }} as {{ double_type() }}) as day_number,
        mod({{ dbt.datediff('period', 'last_day', 'day') }}, 7) as weekday
    from windowed_days

),

-- The week's season removed: from day and value the mean of their weekday.
deviations as (

    select
        *,
        day_number - avg(day_number) over weekday_window as x,
        value - avg(value) over weekday_window as y
    from numbered_days
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
