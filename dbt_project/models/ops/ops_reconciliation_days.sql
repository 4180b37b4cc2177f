{{
    config(
        alias='reconciliation_days',
        materialized='incremental',
        unique_key=['entity', 'day'],
        indexes=[
            {'columns': ['load_id']},
        ],
    )
}}

with

touched_days as (

    select distinct
        entity,
        day
    from {{ ref('int_daily_movements') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}

    union

    select
        entity,
        day
    from {{ this }}
    where broken_hop is not null
    {%- endif %}

),

landed_days as (

    {{
        with_aggregates(
            'touched_days',
            ref('int_daily_movements'),
            keys={'entity': 'entity', 'day': 'day'},
            aggregates={
                'landed_rows': 'sum(matched.number_of_rows)',
                'landed_amount': 'sum(matched.amount)',
                'load_id': 'max(matched.load_id)',
            },
        )
    }}

),

sales_days as (

    select * from landed_days
    where entity = 'sales'

),

days_of_facts as (

    {{
        with_aggregates(
            'sales_days',
            ref('fact_sales'),
            keys={'day': 'sale_date'},
            aggregates={'fact_rows': 'count(matched.sale_id)', 'fact_amount': 'sum(matched.total_amount)'},
        )
    }}

),

days_of_metrics as (

    {{
        with_aggregates(
            'days_of_facts',
            ref('metrics_daily'),
            keys={'day': 'metric_date'},
            aggregates={'daily_amount': 'sum(matched.total_sales)'},
        )
    }}

),

reconciled_sales as (

    {{
        with_aggregates(
            'days_of_metrics',
            ref('metrics_products'),
            keys={'day': 'metric_date'},
            aggregates={'products_amount': 'sum(matched.revenue)'},
        )
    }}

),

interaction_days as (

    select
        *,
        cast(day as {{ dbt.type_timestamp() }}) as midnight
    from landed_days
    where entity = 'interactions'

),

reconciled_interactions as (

    select
        interaction_days.entity,
        interaction_days.day,
        interaction_days.landed_rows,
        interaction_days.landed_amount,
        interaction_days.load_id,
        count(interactions.interaction_id) as fact_rows,
        cast(null as {{ money(18) }}) as fact_amount,
        cast(null as {{ money(18) }}) as daily_amount,
        cast(null as {{ money(18) }}) as products_amount
    from interaction_days
    left join {{ ref('fact_interactions') }} as interactions
        on interactions.interaction_date >= interaction_days.midnight
        and interactions.interaction_date < {{ dbt.dateadd('day', 1, 'interaction_days.midnight') }}
    group by
        interaction_days.entity,
        interaction_days.day,
        interaction_days.landed_rows,
        interaction_days.landed_amount,
        interaction_days.load_id

),

reconciled_days as (

    select
        entity,
        day,
        landed_rows,
        landed_amount,
        load_id,
        coalesce(fact_rows, 0) as fact_rows,
        coalesce(fact_amount, 0) as fact_amount,
        coalesce(daily_amount, 0) as daily_amount,
        coalesce(products_amount, 0) as products_amount
    from reconciled_sales

    union all

    select * from reconciled_interactions

),

ops_reconciliation_days as (

    select
        cast(entity as {{ dbt.type_string() }}) as entity,
        day,
        cast(landed_rows as {{ dbt.type_bigint() }}) as landed_rows,
        cast(fact_rows as {{ dbt.type_bigint() }}) as fact_rows,
        cast(landed_amount as {{ money(18) }}) as landed_amount,
        cast(fact_amount as {{ money(18) }}) as fact_amount,
        cast(daily_amount as {{ money(18) }}) as daily_amount,
        cast(products_amount as {{ money(18) }}) as products_amount,
        case
            when landed_rows <> fact_rows or landed_amount <> fact_amount then 'staging → facts'
            when fact_amount <> daily_amount then 'facts → metrics_daily'
            when fact_amount <> products_amount then 'facts → metrics_products'
        end as broken_hop,
        load_id
    from reconciled_days

)

select * from ops_reconciliation_days
