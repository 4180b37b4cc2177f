{{ config(alias='reconciliation') }}

with

entities as (

    select cast('sales' as {{ dbt.type_string() }}) as entity
    union all
    select cast('interactions' as {{ dbt.type_string() }}) as entity

),

loads as (

    select
        entity,
        sum(new_rows) as new_rows,
        sum(staged_rows) as staged_rows,
        max(broken_hop) as broken_hop
    from {{ ref('ops_reconciliation_loads') }}
    group by entity

),

days as (

    select
        entity,
        sum(landed_rows) as landed_rows,
        sum(fact_rows) as fact_rows,
        sum(landed_amount) as landed_amount,
        sum(fact_amount) as fact_amount,
        sum(daily_amount) as daily_amount,
        sum(products_amount) as products_amount,
        -- By the alphabet this is the first of the hops on which something differs.
        max(broken_hop) as broken_hop
    from {{ ref('ops_reconciliation_days') }}
    group by entity

),

ops_reconciliation as (

    select
        entities.entity,
        cast(coalesce(days.landed_rows, 0) as {{ dbt.type_bigint() }}) as landed_rows,
        cast(coalesce(days.fact_rows, 0) as {{ dbt.type_bigint() }}) as fact_rows,
        cast(coalesce(days.landed_rows - days.fact_rows, 0) as {{ dbt.type_bigint() }}) as difference_rows,
        cast(days.landed_amount as {{ money(18) }}) as landed_amount,
        cast(days.fact_amount as {{ money(18) }}) as fact_amount,
        cast(days.daily_amount as {{ money(18) }}) as daily_amount,
        cast(days.products_amount as {{ money(18) }}) as products_amount,
        cast(
            greatest(
                abs(days.landed_amount - days.fact_amount),
                abs(days.fact_amount - days.daily_amount),
                abs(days.fact_amount - days.products_amount)
            )
            as {{ money(18) }}
        ) as difference_amount,
        cast(coalesce(loads.new_rows, 0) as {{ dbt.type_bigint() }}) as new_rows,
        cast(coalesce(loads.staged_rows, 0) as {{ dbt.type_bigint() }}) as staged_rows,
        cast(coalesce(loads.new_rows - loads.staged_rows, 0) as {{ dbt.type_bigint() }}) as difference_staged_rows,
        coalesce(loads.broken_hop, days.broken_hop) as broken_hop
    from entities
    left join loads
        on entities.entity = loads.entity
    left join days
        on entities.entity = days.entity

)

select * from ops_reconciliation
