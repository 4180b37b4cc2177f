{{ config(meta={'dagster': {'ref': {'name': 'metrics_daily'}}}) }}

-- Every customer with a sale was new on exactly one day.
with

customers as (

    select count(distinct customer_id) as number_of_customers
    from {{ ref('fact_sales') }}
    where customer_id <> 0

),

metrics as (

    select coalesce(sum(new_customers), 0) as new_customers
    from {{ ref('metrics_daily') }}

)

select *
from customers
cross join metrics
where customers.number_of_customers <> metrics.new_customers
