{{ config(materialized='table') }}

with

customers as (

    select * from {{ ref('metrics_customers') }}

),

newest_day as (

    select max(last_sale_date) as last_day
    from customers

),

scored as (

    select
        customers.customer_id,
        cast({{ dbt.datediff('customers.last_sale_date', 'newest_day.last_day', 'day') }} as {{ dbt.type_int() }}) as recency_days,
        customers.total_transactions as frequency,
        customers.revenue as monetary,
        -- Ties by the key, so that the fifths are the same each time.
        6 - ntile(5) over (order by customers.last_sale_date desc, customers.customer_id) as recency_score,
        6 - ntile(5) over (order by customers.total_transactions desc, customers.customer_id) as frequency_score,
        6 - ntile(5) over (order by customers.revenue desc, customers.customer_id) as monetary_score
    from customers
    cross join newest_day

),

metrics_segments as (

    select
        *,
        case
            when recency_score >= 4 and frequency_score >= 4 and monetary_score >= 4 then 'champions'
            when recency_score >= 3 and frequency_score >= 3 then 'loyal'
            when recency_score >= 4 then 'recent'
            when recency_score <= 2 and frequency_score >= 3 then 'at risk'
            when recency_score <= 2 then 'lapsed'
            else 'occasional'
        end as rfm_segment
    from scored

)

select * from metrics_segments
