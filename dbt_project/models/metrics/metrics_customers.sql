-- depends_on: {{ ref('int_sale_versions') }}
{{
    config(
        incremental_strategy='append',
        pre_hook="{{ delete_touched_customers() }}",
        post_hook="{{ analyze_grown_table() }}",
        indexes=[
            {'columns': ['load_id']},
        ],
    )
}}

with
{%- if is_incremental() %}

touched_customers as (

    select distinct customer_id
    from ({{ touched_sales() }}) as versions

),
{%- endif %}

sales as (

    select fact_sales.*
    from {{ ref('fact_sales') }} as fact_sales
    {%- if is_incremental() %}
    inner join touched_customers
        on fact_sales.customer_id = touched_customers.customer_id
    {%- endif %}
    where fact_sales.customer_id <> 0

),

transactions as (

    select
        customer_id,
        sale_date,
        source_name,
        transaction_code,
        sum(quantity) as units_sold,
        sum(total_amount) as revenue,
        min(created_at) as created_at,
        max(load_id) as load_id
    from sales
    group by customer_id, sale_date, source_name, transaction_code

),

metrics_customers as (

    select
        customer_id,
        min(sale_date) as first_sale_date,
        max(sale_date) as last_sale_date,
        cast(count(*) as {{ dbt.type_int() }}) as total_transactions,
        cast(count(distinct sale_date) as {{ dbt.type_int() }}) as total_days,
        cast(sum(units_sold) as {{ dbt.type_int() }}) as units_sold,
        cast(sum(revenue) as {{ money(12) }}) as revenue,
        cast(sum(revenue) / cast(count(*) as {{ dbt.type_numeric() }}) as {{ money() }}) as avg_transaction_value,
        count(distinct sale_date) > 1 as is_repeat,
        min(created_at) as created_at,
        max(load_id) as load_id
    from transactions
    group by customer_id

)

select * from metrics_customers
