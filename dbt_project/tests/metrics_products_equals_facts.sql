{{ config(store_failures=true, meta={'dagster': {'ref': {'name': 'metrics_products'}}}) }}

-- Every product's day has the units and the revenue of its facts. Returns those that have not, of the days that were
-- touched since the last whole build (macro checked_load).
with

touched_days as (

    select distinct day
    from {{ ref('int_daily_movements') }}
    where entity = 'sales'
        and load_id > {{ checked_load() }}

),

facts as (

    select
        sales.product_id,
        sales.sale_date,
        sum(sales.quantity) as units_sold,
        sum(sales.total_amount) as revenue
    from touched_days
    inner join {{ ref('fact_sales') }} as sales
        on touched_days.day = sales.sale_date
    group by sales.product_id, sales.sale_date

),

metrics as (

    select metrics_products.*
    from touched_days
    inner join {{ ref('metrics_products') }} as metrics_products
        on touched_days.day = metrics_products.metric_date

)

select
    coalesce(facts.product_id, metrics.product_id) as product_id,
    coalesce(facts.sale_date, metrics.metric_date) as metric_date,
    facts.units_sold as facts_units_sold,
    metrics.units_sold,
    facts.revenue as facts_revenue,
    metrics.revenue
from facts
full outer join metrics
    on facts.product_id = metrics.product_id
    and facts.sale_date = metrics.metric_date
where coalesce(facts.revenue, 0) is distinct from metrics.revenue
    or coalesce(facts.units_sold, 0) is distinct from metrics.units_sold
