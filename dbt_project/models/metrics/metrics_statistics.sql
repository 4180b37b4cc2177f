{{ config(materialized='table') }}

with

windowed_days as (

    {{ values_of_windows([7, 28, 90, 365]) | indent(4) }}

),

measured as (

    select
        metric,
        window_days,
        dimension,
        dimension_value,
        first_day,
        last_day,
        cast(count(*) as {{ dbt.type_int() }}) as observations,
        avg(value) as mean,
        stddev_samp(value) as standard_deviation,
        min(value) as minimum,
        percentile_cont(0.25) within group (order by value) as first_quartile,
        percentile_cont(0.5) within group (order by value) as median,
        percentile_cont(0.75) within group (order by value) as third_quartile,
        max(value) as maximum
    from windowed_days
    group by metric, window_days, dimension, dimension_value, first_day, last_day

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
