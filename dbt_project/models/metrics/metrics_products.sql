{{
    config(
        unique_key=['product_id', 'metric_date'],
        indexes=[
            {'columns': ['load_id']},
            {'columns': ['metric_date']},
        ],
    )
}}

-- depends_on: {{ ref('int_product_versions') }}

with

versions as (

    {{ touched_versions(ref('int_sale_versions'), key=['source_name', 'sale_code']) }}

),

landed_counts as (

    select * from {{ ref('int_stock_levels') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}
    {%- endif %}

),

costs as (

    select * from {{ ref('dim_products_history') }}

),

-- What landed for a product on a day: versions of sale lines, counts of the stock.
landed as (

    select
        product_id,
        sale_date as metric_date,
        loaded_at as landed_at
    from versions

    union all

    select
        product_id,
        stock_date as metric_date,
        created_at as landed_at
    from landed_counts

),

landed_product_days as (

    select
        product_id,
        metric_date,
        min(landed_at) as landed_at
    from landed
    group by product_id, metric_date

),
{%- if is_incremental() %}

first_counts as (

    select
        product_id,
        min(stock_date) as first_stock_date
    from landed_counts
    group by product_id

),

changed_costs as (

    {{ changed_costs() }}

),

days_after_counts as (

    {{ rows_since('first_counts', 'first_stock_date', this, 'metric_date', key='product_id') }}

),

days_after_costs as (

    {{ rows_since('changed_costs', 'first_day', this, 'metric_date', key='product_id') }}

),

days_to_compute as (

    select
        product_id,
        metric_date
    from landed_product_days

    union

    -- A count holds for the days after it.
    select
        product_id,
        metric_date
    from days_after_counts

    union

    select
        days_after_costs.product_id,
        days_after_costs.metric_date
    from days_after_costs
    inner join costs
        on days_after_costs.product_id = costs.product_id
        and days_after_costs.metric_date >= costs.valid_from
        and days_after_costs.metric_date < costs.valid_to
    where days_after_costs.unit_cost is distinct from costs.unit_cost

),

touched_product_days as (

    select
        days_to_compute.product_id,
        days_to_compute.metric_date,
        landed_product_days.landed_at
    from days_to_compute
    left join landed_product_days
        on days_to_compute.product_id = landed_product_days.product_id
        and days_to_compute.metric_date = landed_product_days.metric_date

),

product_days as (

    {{
        with_aggregates(
            'touched_product_days',
            this,
            keys={'product_id': 'product_id', 'metric_date': 'metric_date'},
            aggregates={'existing_since': 'max(matched.created_at)'},
        )
    }}

),
{%- else %}

product_days as (

    select
        *,
        cast(null as {{ dbt.type_timestamp() }}) as existing_since
    from landed_product_days

),
{%- endif %}

sold_product_days as (

    {{
        with_aggregates(
            'product_days',
            ref('fact_sales'),
            keys={'product_id': 'product_id', 'metric_date': 'sale_date'},
            aggregates={
                'units_sold': 'sum(matched.quantity)',
                'revenue': 'sum(matched.total_amount)',
                'sales_load_id': 'max(matched.load_id)',
            },
        )
    }}

),

counted_product_days as (

    {{
        with_last_before(
            'sold_product_days',
            'metric_date',
            ref('int_stock_levels'),
            'stock_date',
            key='product_id',
            columns={'stock_level': 'stock_level', 'stock_load_id': 'load_id'},
            condition='not matched.is_deleted',
        )
    }}

),

metrics_products as (

    select
        product_days.product_id,
        product_days.metric_date,
        cast(coalesce(product_days.units_sold, 0) as {{ dbt.type_int() }}) as units_sold,
        cast(coalesce(product_days.revenue, 0) as {{ money() }}) as revenue,
        cast(
            case
                when product_days.units_sold is null then 0
                else product_days.revenue - product_days.units_sold * costs.unit_cost
            end
            as {{ money() }}
        ) as profit,
        product_days.stock_level,
        coalesce(product_days.existing_since, product_days.landed_at) as created_at,
        greatest(product_days.sales_load_id, product_days.stock_load_id) as load_id,
        costs.unit_cost
    from counted_product_days as product_days
    left join costs
        on product_days.product_id = costs.product_id
        and product_days.metric_date >= costs.valid_from
        and product_days.metric_date < costs.valid_to

)

select * from metrics_products
