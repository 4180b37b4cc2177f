{{ config(unique_key='metric_date') }}

with

versions as (

    {{ touched_sale_versions() }}

),

landed_days as (

    select
        sale_date as metric_date,
        max(load_id) as load_id,
        min(loaded_at) as landed_at
    from versions
    group by sale_date

),
{%- if is_incremental() %}

existing_days as (

    select * from {{ this }}

),

touched_customers as (

    select
        customer_id,
        min(sale_date) as first_touched_day
    from versions
    where customer_id <> 0
    group by customer_id

),

first_days as (

    select
        first_touched_day,
        (
            select min(sales.sale_date)
            from {{ ref('fact_sales') }} as sales
            where sales.customer_id = touched_customers.customer_id
                and sales.load_id <= {{ watermark() }}
        ) as first_untouched_day
    from touched_customers

),

days_to_compute as (

    select metric_date from landed_days

    union

    -- Where a customer was new, or is new now, by a line that did not change itself.
    select first_untouched_day as metric_date
    from first_days
    where first_touched_day < first_untouched_day

    union

    -- The end of the calendar so far, from which new days on either side are counted.
    select max(metric_date) as metric_date from existing_days

),
{%- endif %}

bounds as (

    select
        min(metric_date) as first_day,
        max(metric_date) as last_day
    from {% if is_incremental() %}days_to_compute{% else %}landed_days{% endif %}

),

calendar as (

    {{ all_days('bounds', 'first_day', 'last_day') }}

),

days as (

    select
        calendar.metric_date,
        {%- if is_incremental() %}
        existing_days.created_at,
        coalesce(existing_days.created_at, landed_days.landed_at) as landed_at,
        greatest(existing_days.load_id, landed_days.load_id) as load_id
        {%- else %}
        cast(null as {{ dbt.type_timestamp() }}) as created_at,
        landed_days.landed_at,
        landed_days.load_id
        {%- endif %}
    from calendar
    left join landed_days
        on calendar.metric_date = landed_days.metric_date
    {%- if is_incremental() %}
    left join existing_days
        on calendar.metric_date = existing_days.metric_date
    where existing_days.metric_date is null
        or calendar.metric_date in (select metric_date from days_to_compute)
    {%- endif %}

),

dated_days as (

    select
        metric_date,
        load_id,
        -- A day, with or without a line, is there since something landed on or before it and on or after it.
        coalesce(
            created_at,
            greatest(
                min(landed_at) over (order by metric_date rows between unbounded preceding and current row),
                min(landed_at) over (order by metric_date rows between current row and unbounded following)
            )
        ) as created_at
    from days

),

-- By aggregates of each day and not by joins: so few days are read by index, whatever number the planner expects.
sales_by_day as (

    select
        days.metric_date,
        sales.*
    from days
    cross join lateral (
        select
            sum(fact_sales.total_amount) as total_sales,
            count(distinct fact_sales.source_name || ':' || fact_sales.transaction_code) as total_transactions,
            count(distinct fact_sales.customer_id) filter (where fact_sales.customer_id <> 0) as total_customers
        from {{ ref('fact_sales') }} as fact_sales
        where fact_sales.sale_date = days.metric_date
    ) as sales

),

new_customers_by_day as (

    select
        days.metric_date,
        customers.new_customers
    from days
    cross join lateral (
        select count(distinct fact_sales.customer_id) as new_customers
        from {{ ref('fact_sales') }} as fact_sales
        where fact_sales.sale_date = days.metric_date
            and fact_sales.customer_id <> 0
            and not exists (
                select 1
                from {{ ref('fact_sales') }} as earlier
                where earlier.customer_id = fact_sales.customer_id
                    and earlier.sale_date < fact_sales.sale_date
            )
    ) as customers

),

metrics_daily as (

    select
        dated_days.metric_date,
        cast(coalesce(sales_by_day.total_sales, 0) as {{ money(12) }}) as total_sales,
        cast(sales_by_day.total_transactions as {{ dbt.type_int() }}) as total_transactions,
        cast(
            sales_by_day.total_sales / cast(nullif(sales_by_day.total_transactions, 0) as {{ dbt.type_numeric() }})
            as {{ money() }}
        ) as avg_transaction_value,
        cast(sales_by_day.total_customers as {{ dbt.type_int() }}) as total_customers,
        cast(new_customers_by_day.new_customers as {{ dbt.type_int() }}) as new_customers,
        dated_days.created_at,
        dated_days.load_id
    from dated_days
    inner join sales_by_day
        on dated_days.metric_date = sales_by_day.metric_date
    inner join new_customers_by_day
        on dated_days.metric_date = new_customers_by_day.metric_date

)

select * from metrics_daily
