{{ config(meta={'dagster': {'ref': {'name': 'metrics_products'}}}) }}

-- Every product's day has the units and the revenue of its facts. Returns those that have not.
with

facts as (

    select
        product_id,
        sale_date,
        sum(quantity) as units_sold,
        sum(total_amount) as revenue
    from {{ ref('fact_sales') }}
    group by product_id, sale_date

),

metrics as (

    select * from {{ ref('metrics_products') }}

)

select
    coalesce(facts.product_id, metrics.product_id) as product_id,
    coalesce(facts.sale_date, metrics.metric_date) as metric_date,
    facts.revenue as facts_revenue,
    metrics.revenue
from facts
full outer join metrics
    on facts.product_id = metrics.product_id
    and facts.sale_date = metrics.metric_date
where coalesce(facts.revenue, 0) is distinct from metrics.revenue
    or coalesce(facts.units_sold, 0) is distinct from metrics.units_sold
