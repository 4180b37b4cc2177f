-- depends_on: {{ ref('int_sale_versions') }} {{ ref('int_daily_movements') }} {{ ref('int_product_versions') }} {{ ref('fact_sales') }}
{%- set days = touched_days('sales') if is_incremental() -%}
{{
    config(
        incremental_strategy='append',
        pre_hook="{{ delete_days(touched_days('sales')) if is_incremental() }}",
        indexes=[
            {'columns': ['load_id']},
            {'columns': ['metric_date']},
        ],
    )
}}

with

sale_lines as (

    select * from {{ ref('metrics_sale_lines') }}
    {%- if is_incremental() %}
    where {{ is_one_of_days('sale_date', days) }}
    {%- endif %}

),

transactions as (

    select
        store_id,
        sale_date,
        source_name,
        transaction_code,
        customer_id,
        sum(quantity) as units_sold,
        sum(total_amount) as revenue,
        sum(profit) as profit,
        max(load_id) as load_id
    from sale_lines
    group by store_id, sale_date, source_name, transaction_code, customer_id

),

metrics_stores as (

    select
        store_id,
        sale_date as metric_date,
        cast(count(distinct source_name || ':' || transaction_code) as {{ dbt.type_int() }}) as total_transactions,
        cast(count(distinct customer_id) filter (where customer_id <> 0) as {{ dbt.type_int() }}) as total_customers,
        cast(sum(units_sold) as {{ dbt.type_int() }}) as units_sold,
        cast(sum(revenue) as {{ money(12) }}) as revenue,
        cast(sum(profit) as {{ money(12) }}) as profit,
        max(load_id) as load_id
    from transactions
    group by store_id, sale_date

)

select * from metrics_stores
