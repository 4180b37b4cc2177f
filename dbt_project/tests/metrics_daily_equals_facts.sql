{{ config(store_failures=true, meta={'dagster': {'ref': {'name': 'metrics_daily'}}}) }}

-- Every day's metrics are those of its facts. Returns the days on which they are not, of those that were touched
-- since the last whole build (macro checked_load).
with

touched_days as (

    select distinct day
    from {{ ref('int_daily_movements') }}
    where entity = 'sales'
        and load_id > {{ checked_load() }}

),

facts as (

    {{
        with_aggregates(
            'touched_days',
            ref('fact_sales'),
            keys={'day': 'sale_date'},
            aggregates={
                'total_sales': 'sum(matched.total_amount)',
                'total_customers': 'count(distinct nullif(matched.customer_id, 0))',
            },
        )
    }}

),

touched_customers as (

    select distinct sales.customer_id
    from touched_days
    inner join {{ ref('fact_sales') }} as sales
        on touched_days.day = sales.sale_date
    where sales.customer_id <> 0

),

first_days as (

    {{
        with_aggregates(
            'touched_customers',
            ref('fact_sales'),
            keys={'customer_id': 'customer_id'},
            aggregates={'first_day': 'min(matched.sale_date)'},
        )
    }}

),

first_customers as (

    select
        first_day,
        count(*) as new_customers
    from first_days
    group by first_day

)

select
    facts.day,
    facts.total_sales as facts_total_sales,
    metrics.total_sales,
    facts.total_customers as facts_total_customers,
    metrics.total_customers,
    first_customers.new_customers as facts_new_customers,
    metrics.new_customers
from facts
left join first_customers
    on facts.day = first_customers.first_day
left join {{ ref('metrics_daily') }} as metrics
    on facts.day = metrics.metric_date
where coalesce(facts.total_sales, 0) is distinct from metrics.total_sales
    or coalesce(facts.total_customers, 0) is distinct from metrics.total_customers
    or coalesce(first_customers.new_customers, 0) is distinct from metrics.new_customers
