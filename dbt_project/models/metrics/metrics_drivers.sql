{{ config(materialized='table') }}

{%- set comparisons = {
    'day': [('previous', -1), ('last_week', -7), ('last_year', -364)],
    'week': [('previous', -1), ('last_year', -52)],
    'month': [('previous', -1), ('last_year', -12)],
} %}

with

product_days as (

    select * from {{ ref('metrics_products') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

metric_values as (

    select *
    from {{ ref('metrics_values') }}
    where metric in ('revenue', 'units_sold')
        and grain in ('{{ comparisons | join("', '") }}')
        and dimension <> 'total'

),

newest_day as (

    select max(period) as last_day
    from {{ ref('metrics_values') }}
    where metric = 'revenue'
        and grain = 'day'
        and dimension = 'total'

),

-- The newest period of each grain and the one before it, each beside those that it is compared with.
compared_periods as (
{% for grain, offsets in comparisons.items() %}
    {%- set outer = loop.last %}
    {%- for back in [0, -1] %}
    {%- set last_back = loop.last %}
    {%- for comparison, steps in offsets %}
    select
        '{{ grain }}' as grain,
        '{{ comparison }}' as comparison,
        {{ period_offset(grain, period_of(grain, 'last_day'), back) }} as period,
        {{ period_offset(grain, period_of(grain, 'last_day'), back + steps) }} as compared_period
    from newest_day
    {{ 'union all' if not (loop.last and last_back and outer) }}
    {%- endfor %}
    {%- endfor %}
{%- endfor %}
),

periods as (

    select
        grain,
        period
    from compared_periods

    union

    select
        grain,
        compared_period as period
    from compared_periods

),

product_periods as (

    select
        periods.grain,
        periods.period,
        'product' as dimension,
        coalesce(products.product_code, 'unknown') as dimension_value,
        sum(product_days.revenue) as revenue,
        sum(product_days.units_sold) as units_sold
    from periods
    inner join product_days
        on product_days.metric_date >= periods.period
        and product_days.metric_date < case periods.grain
            {%- for grain in comparisons %}
            when '{{ grain }}' then {{ period_offset(grain, 'periods.period', 1) }}
            {%- endfor %}
        end
    inner join products
        on product_days.product_id = products.product_id
    group by periods.grain, periods.period, coalesce(products.product_code, 'unknown')

),

member_periods as (

    select
        periods.grain,
        periods.period,
        metric_values.dimension,
        metric_values.dimension_value,
        cast(coalesce(max(case when metric_values.metric = 'revenue' then metric_values.value end), 0) as {{ money(14) }}) as revenue,
        cast(coalesce(max(case when metric_values.metric = 'units_sold' then metric_values.value end), 0) as {{ money(14) }}) as units_sold
    from periods
    inner join metric_values
        on periods.grain = metric_values.grain
        and periods.period = metric_values.period
    group by periods.grain, periods.period, metric_values.dimension, metric_values.dimension_value

),

item_periods as (

    select * from product_periods
    union all
    select * from member_periods

),

-- Both periods of each item in one row; an item of one of them has 0 in the other.
items as (

    select
        compared_periods.grain,
        compared_periods.comparison,
        compared_periods.period,
        compared_periods.compared_period,
        item_periods.dimension,
        item_periods.dimension_value,
        sum(case when item_periods.period = compared_periods.period then item_periods.revenue else 0 end) as revenue,
        sum(case when item_periods.period = compared_periods.period then item_periods.units_sold else 0 end) as units_sold,
        sum(case when item_periods.period < compared_periods.period then item_periods.revenue else 0 end) as revenue_before,
        sum(case when item_periods.period < compared_periods.period then item_periods.units_sold else 0 end) as units_before
    from compared_periods
    inner join item_periods
        on compared_periods.grain = item_periods.grain
        and item_periods.period in (compared_periods.period, compared_periods.compared_period)
    group by
        compared_periods.grain,
        compared_periods.comparison,
        compared_periods.period,
        compared_periods.compared_period,
        item_periods.dimension,
        item_periods.dimension_value

),

items_with_totals as (

    select
        *,
        sum(units_sold) over all_items as all_units,
        sum(units_before) over all_items as all_units_before
    from items
    window all_items as (partition by grain, comparison, period, dimension)

),

parts as (

    select
        *,
        cast(
            case
                when units_sold <> 0 and units_before <> 0
                    then revenue - {{ proportion('units_sold', 'revenue_before', 'units_before') }}
                else 0
            end
            as {{ money(14) }}
        ) as price_effect,
        cast(
            case
                when all_units_before <> 0
                    then {{ proportion('all_units', 'revenue_before', 'all_units_before') }} - revenue_before
                else 0
            end
            as {{ money(14) }}
        ) as volume_effect
    from items_with_totals

),

metrics_drivers as (

    select
        grain,
        comparison,
        period,
        compared_period,
        dimension,
        dimension_value,
        cast(revenue as {{ money(14) }}) as revenue,
        cast(revenue_before as {{ money(14) }}) as revenue_before,
        cast(revenue - revenue_before as {{ money(14) }}) as revenue_change,
        price_effect,
        volume_effect,
        cast(revenue - revenue_before - price_effect - volume_effect as {{ money(14) }}) as mix_effect
    from parts

)

select * from metrics_drivers
