{{ config(materialized='view') }}

-- No CTEs: Postgres plans a view with CTEs by itself, and a filter on the day would not reach the index.

select
    sales.sale_id,
    sales.sale_date,
    sales.product_id,
    sales.customer_id,
    sales.store_id,
    sales.channel_id,
    sales.source_name,
    sales.transaction_code,
    sales.quantity,
    sales.total_amount,
    cast(sales.total_amount - sales.quantity * costs.unit_cost as {{ money(12) }}) as profit,
    customers.customer_id is not null as is_first_day,
    sales.load_id
from {{ ref('fact_sales') }} as sales
left join {{ ref('dim_products_history') }} as costs
    on sales.product_id = costs.product_id
    and sales.sale_date >= costs.valid_from
    and sales.sale_date < costs.valid_to
left join {{ ref('metrics_customers') }} as customers
    on sales.customer_id = customers.customer_id
    and sales.sale_date = customers.first_sale_date
