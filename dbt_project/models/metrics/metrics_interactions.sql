-- depends_on: {{ ref('int_daily_movements') }}
{%- set days = touched_days('interactions') if is_incremental() -%}
{{
    config(
        incremental_strategy='append',
        pre_hook="{{ delete_days(touched_days('interactions')) if is_incremental() }}",
        indexes=[
            {'columns': ['load_id']},
            {'columns': ['metric_date']},
        ],
    )
}}

with

interactions as (

    select
        *,
        cast(interaction_date as date) as metric_date
    from {{ ref('fact_interactions') }}
    {%- if is_incremental() %}
    where {{ is_one_of_days('cast(interaction_date as date)', days) }}
        {%- if days %}
        and interaction_date >= cast('{{ days | first }}' as date)
        {%- endif %}
    {%- endif %}

),

metrics_interactions as (

    select
        channel_id,
        metric_date,
        cast(count(*) as {{ dbt.type_int() }}) as total_interactions,
        cast(count(distinct customer_id) filter (where customer_id <> 0) as {{ dbt.type_int() }}) as total_customers,
        cast(sum(duration) as {{ dbt.type_bigint() }}) as total_duration,
        cast(
            sum(duration) / cast(nullif(count(duration), 0) as {{ dbt.type_numeric() }})
            as {{ money() }}
        ) as avg_duration,
        min(created_at) as created_at,
        max(load_id) as load_id
    from interactions
    group by channel_id, metric_date

)

select * from metrics_interactions
