-- depends_on: {{ ref('int_sale_versions') }}
{%- set months = touched_cohort_months() if is_incremental() -%}
{{
    config(
        incremental_strategy='append',
        pre_hook="{{ delete_cohort_months() }}",
        indexes=[
            {'columns': ['activity_month']},
            {'columns': ['load_id']},
        ],
    )
}}

with

customers as (

    select
        customer_id,
        {{ period_of('month', 'first_sale_date') }} as cohort_month
    from {{ ref('metrics_customers') }}

),

active_customers as (

    select
        customer_id,
        {{ period_of('month', 'sale_date') }} as activity_month,
        sum(total_amount) as revenue,
        max(load_id) as load_id
    from {{ ref('fact_sales') }}
    where customer_id <> 0
    {%- if is_incremental() %}
        and {{ in_months('sale_date', months) }}
    {%- endif %}
    group by customer_id, {{ period_of('month', 'sale_date') }}

),

activity as (

    select
        customers.cohort_month,
        active_customers.activity_month,
        count(*) as active_customers,
        sum(active_customers.revenue) as revenue,
        max(active_customers.load_id) as load_id
    from active_customers
    inner join customers
        on active_customers.customer_id = customers.customer_id
    group by customers.cohort_month, active_customers.activity_month

),

metrics_cohorts as (

    select
        cohort_month,
        activity_month,
        cast({{ dbt.datediff('cohort_month', 'activity_month', 'month') }} as {{ dbt.type_int() }}) as months_since,
        cast(active_customers as {{ dbt.type_int() }}) as active_customers,
        cast(revenue as {{ money(14) }}) as revenue,
        load_id
    from activity

)

select * from metrics_cohorts
