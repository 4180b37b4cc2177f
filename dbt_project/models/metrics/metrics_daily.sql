{{ config(unique_key='metric_date') }}

with

versions as (

    {{ touched_sales() }}

),

landed_days as (

    select
        sale_date as metric_date,
        min(loaded_at) as landed_at
    from versions
    group by sale_date

),
{%- if is_incremental() %}

existing_days as (

    select * from {{ this }}

),

first_days as (

    {{ touched_first_days('versions') }}

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
        coalesce(existing_days.created_at, landed_days.landed_at) as landed_at
        {%- else %}
        cast(null as {{ dbt.type_timestamp() }}) as created_at,
        landed_days.landed_at
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

sales_by_day as (

    {{
        with_aggregates(
            'dated_days',
            ref('fact_sales'),
            keys={'metric_date': 'sale_date'},
            aggregates={
                'total_sales': 'sum(matched.total_amount)',
                'total_transactions': "count(distinct matched.source_name || ':' || matched.transaction_code)",
                'total_customers': 'count(distinct case when matched.customer_id <> 0 then matched.customer_id end)',
                'load_id': 'max(matched.load_id)',
            },
        )
    }}

),

sales_and_new_customers_by_day as (

    {{
        with_aggregates(
            'sales_by_day',
            ref('fact_sales'),
            keys={'metric_date': 'sale_date'},
            aggregates={'new_customers': 'count(distinct matched.customer_id)'},
            condition='matched.customer_id <> 0 and not exists (
                select 1
                from ' ~ ref('fact_sales') ~ ' as earlier
                where earlier.customer_id = matched.customer_id
                    and earlier.sale_date < matched.sale_date
            )',
        )
    }}

),

metrics_daily as (

    select
        metric_date,
        cast(coalesce(total_sales, 0) as {{ money(12) }}) as total_sales,
        cast(coalesce(total_transactions, 0) as {{ dbt.type_int() }}) as total_transactions,
        cast(
            total_sales / cast(nullif(total_transactions, 0) as {{ dbt.type_numeric() }})
            as {{ money() }}
        ) as avg_transaction_value,
        cast(coalesce(total_customers, 0) as {{ dbt.type_int() }}) as total_customers,
        cast(coalesce(new_customers, 0) as {{ dbt.type_int() }}) as new_customers,
        created_at,
        load_id
    from sales_and_new_customers_by_day

)

select * from metrics_daily
