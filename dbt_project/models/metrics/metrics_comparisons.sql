{{ config(materialized='view') }}

{%- set additive = [] %}
{%- if execute %}
{%- set plan = metric_plan() %}
{%- for name, metric in plan.metrics.items() if not metric.cumulative and metric.expression in plan.components
    and plan.components[metric.expression].agg in ['sum', 'count'] %}{% do additive.append(name) %}{% endfor %}
{%- endif %}

-- metrics_values is read by reference, not by a CTE, so that a filter on the metric reaches its key.

with

running_values as (

    select
        *,
        case
            when metric in ('{{ additive | join("', '") }}') then sum(value) over (
                partition by metric, dimension, dimension_value, grain, {{ period_of('fiscal_year', 'period') }}
                order by period
            )
        end as year_to_date,
        avg(value) over (
            partition by metric, dimension, dimension_value, grain
            order by period
            rows between 6 preceding and current row
        ) as average_of_7,
        avg(value) over (
            partition by metric, dimension, dimension_value, grain
            order by period
            rows between 27 preceding and current row
        ) as average_of_28
    from {{ ref('metrics_values') }}

),

reference_periods as (

    select
        *,
        case grain
            {%- for grain in grains() %}
            when '{{ grain }}' then {{ period_offset(grain, 'period', -1) }}
            {%- endfor %}
        end as previous_period,
        case when grain = 'day' then {{ period_offset('week', 'period', -1) }} end as same_weekday,
        case grain
            when 'week' then {{ period_offset('week', 'period', -52) }}
            else {{ period_offset('fiscal_year', 'period', -1) }}
        end as last_year
    from running_values

),

metrics_comparisons as (

    select
        periods.metric,
        periods.grain,
        periods.period,
        periods.dimension,
        periods.dimension_value,
        periods.value,
        previous.value as previous_value,
        (periods.value - previous.value) / nullif(abs(previous.value), 0) as previous_change,
        weekday.value as same_weekday_value,
        (periods.value - weekday.value) / nullif(abs(weekday.value), 0) as same_weekday_change,
        last_year.value as last_year_value,
        (periods.value - last_year.value) / nullif(abs(last_year.value), 0) as last_year_change,
        periods.year_to_date,
        periods.average_of_7,
        periods.average_of_28
    from reference_periods as periods
    {%- for alias, column in {'previous': 'previous_period', 'weekday': 'same_weekday', 'last_year': 'last_year'}.items() %}
    left join {{ ref('metrics_values') }} as {{ alias }}
        on periods.metric = {{ alias }}.metric
        and periods.dimension = {{ alias }}.dimension
        and periods.dimension_value = {{ alias }}.dimension_value
        and periods.grain = {{ alias }}.grain
        and periods.{{ column }} = {{ alias }}.period
    {%- endfor %}

)

select * from metrics_comparisons
