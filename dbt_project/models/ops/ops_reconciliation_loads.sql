{{
    config(
        alias='reconciliation_loads',
        materialized='incremental',
        unique_key='load_id',
        indexes=[
            {'columns': ['load_id']},
        ],
    )
}}

with

ledger as (

    select * from {{ ref('stg_loads') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark_before_broken() }}
    {%- endif %}

),

staged as (

    select
        load_id,
        entity,
        count(*) as staged_rows,
        sum(amount) as staged_amount
    from {{ ref('stg_landed_rows') }}
    {%- if is_incremental() %}
    where load_id > {{ watermark_before_broken() }}
    {%- endif %}
    group by load_id, entity

),

joined as (

    select
        coalesce(ledger.load_id, staged.load_id) as load_id,
        coalesce(ledger.entity, staged.entity) as entity,
        coalesce(ledger.rows_new + ledger.rows_deleted, 0) as new_rows,
        coalesce(staged.staged_rows, 0) as staged_rows,
        ledger.amount_new as new_amount,
        staged.staged_amount
    from ledger
    full outer join staged
        on ledger.load_id = staged.load_id
        and ledger.entity = staged.entity

),

ops_reconciliation_loads as (

    select
        load_id,
        cast(entity as {{ dbt.type_string() }}) as entity,
        cast(new_rows as {{ dbt.type_bigint() }}) as new_rows,
        cast(staged_rows as {{ dbt.type_bigint() }}) as staged_rows,
        cast(new_amount as {{ money(18) }}) as new_amount,
        cast(staged_amount as {{ money(18) }}) as staged_amount,
        case
            when new_rows <> staged_rows or new_amount <> coalesce(staged_amount, 0) then 'source → staging'
        end as broken_hop
    from joined

)

select * from ops_reconciliation_loads
