{{ config(alias='reconciliation') }}

with

landed as (

    select
        'sales' as entity,
        count(*) as landed_rows,
        sum(total_amount) as landed_amount
    from {{ ref('stg_sales') }}

    union all

    select
        'interactions' as entity,
        count(*) as landed_rows,
        cast(null as {{ money(18) }}) as landed_amount
    from {{ ref('stg_interactions') }}

),

facts as (

    select
        'sales' as entity,
        count(*) as fact_rows,
        sum(total_amount) as fact_amount
    from {{ ref('fact_sales') }}

    union all

    select
        'interactions' as entity,
        count(*) as fact_rows,
        cast(null as {{ money(18) }}) as fact_amount
    from {{ ref('fact_interactions') }}

),

metrics as (

    select
        'sales' as entity,
        (select sum(total_sales) from {{ ref('metrics_daily') }}) as daily_amount,
        (select sum(revenue) from {{ ref('metrics_products') }}) as products_amount

),

reconciliation as (

    select
        landed.entity,
        landed.landed_rows,
        facts.fact_rows,
        landed.landed_rows - facts.fact_rows as difference_rows,
        landed.landed_amount,
        facts.fact_amount,
        metrics.daily_amount,
        metrics.products_amount,
        greatest(
            abs(landed.landed_amount - facts.fact_amount),
            abs(facts.fact_amount - metrics.daily_amount),
            abs(facts.fact_amount - metrics.products_amount)
        ) as difference_amount
    from landed
    inner join facts
        on landed.entity = facts.entity
    left join metrics
        on landed.entity = metrics.entity

)

select * from reconciliation
