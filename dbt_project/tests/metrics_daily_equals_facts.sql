{{ config(meta={'dagster': {'ref': {'name': 'metrics_daily'}}}) }}

-- Every day's metrics are those of its facts. Returns the days on which they are not.
with

facts as (

    select
        sale_date,
        sum(total_amount) as total_sales,
        count(distinct customer_id) filter (where customer_id <> 0) as total_customers
    from {{ ref('fact_sales') }}
    group by sale_date

),

metrics as (

    select * from {{ ref('metrics_daily') }}

)

select
    coalesce(facts.sale_date, metrics.metric_date) as metric_date,
    facts.total_sales as facts_total_sales,
    metrics.total_sales
from facts
full outer join metrics
    on facts.sale_date = metrics.metric_date
where coalesce(facts.total_sales, 0) is distinct from metrics.total_sales
    or coalesce(facts.total_customers, 0) is distinct from metrics.total_customers
