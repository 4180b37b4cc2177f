{{
    config(
        unique_key=['product_id', 'metric_date'],
        indexes=[
            {'columns': ['load_id']},
            {'columns': ['metric_date']},
        ],
    )
}}

with

versions as (

    {{ touched_sale_versions() }}

),

landed_counts as (

    select * from {{ ref('int_stock_levels') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}
    {%- endif %}

),

-- What landed for a product on a day: versions of sale lines, counts of the stock.
landed as (

    select
        product_id,
        sale_date as metric_date,
        load_id,
        loaded_at as landed_at
    from versions

    union all

    select
        product_id,
        stock_date as metric_date,
        load_id,
        created_at as landed_at
    from landed_counts

),

landed_product_days as (

    select
        product_id,
        metric_date,
        max(load_id) as load_id,
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

days_to_compute as (

    select
        product_id,
        metric_date
    from landed_product_days

    union

    -- A count holds for the days after it.
    select
        existing.product_id,
        existing.metric_date
    from {{ this }} as existing
    inner join first_counts
        on existing.product_id = first_counts.product_id
        and existing.metric_date > first_counts.first_stock_date

    union

    -- A product's cost holds for all its days.
    select
        existing.product_id,
        existing.metric_date
    from {{ this }} as existing
    inner join {{ ref('dim_products') }} as products
        on existing.product_id = products.product_id
    where products.load_id > {{ watermark() }}

),
{%- endif %}

product_days as (

    {% if is_incremental() -%}
    select
        days_to_compute.product_id,
        days_to_compute.metric_date,
        greatest(existing.load_id, landed_product_days.load_id) as load_id,
        coalesce(existing.created_at, landed_product_days.landed_at) as created_at
    from days_to_compute
    left join landed_product_days
        on days_to_compute.product_id = landed_product_days.product_id
        and days_to_compute.metric_date = landed_product_days.metric_date
    cross join lateral (
        select
            max(this.load_id) as load_id,
            max(this.created_at) as created_at
        from {{ this }} as this
        where this.product_id = days_to_compute.product_id
            and this.metric_date = days_to_compute.metric_date
    ) as existing
    {%- else -%}
    select
        product_id,
        metric_date,
        load_id,
        landed_at as created_at
    from landed_product_days
    {%- endif %}

),

-- By aggregates of each day and not by joins: so few days are read by index, whatever number the planner expects.
counted_product_days as (

    select
        product_days.*,
        counts.last_stock_date
    from product_days
    cross join lateral (
        select max(levels.stock_date) as last_stock_date
        from {{ ref('int_stock_levels') }} as levels
        where levels.product_id = product_days.product_id
            and levels.stock_date <= product_days.metric_date
    ) as counts

),

measured_product_days as (

    select
        product_days.*,
        sales.units_sold,
        sales.revenue,
        stock.stock_level,
        stock.load_id as stock_load_id
    from counted_product_days as product_days
    cross join lateral (
        select
            sum(fact_sales.quantity) as units_sold,
            sum(fact_sales.total_amount) as revenue
        from {{ ref('fact_sales') }} as fact_sales
        where fact_sales.product_id = product_days.product_id
            and fact_sales.sale_date = product_days.metric_date
    ) as sales
    cross join lateral (
        select
            max(levels.stock_level) as stock_level,
            max(levels.load_id) as load_id
        from {{ ref('int_stock_levels') }} as levels
        where levels.product_id = product_days.product_id
            and levels.stock_date = product_days.last_stock_date
    ) as stock

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
                else product_days.revenue - product_days.units_sold * products.unit_cost
            end
            as {{ money() }}
        ) as profit,
        product_days.stock_level,
        product_days.created_at,
        greatest(product_days.load_id, product_days.stock_load_id, products.load_id) as load_id
    from measured_product_days as product_days
    left join {{ ref('dim_products') }} as products
        on product_days.product_id = products.product_id

)

select * from metrics_products
