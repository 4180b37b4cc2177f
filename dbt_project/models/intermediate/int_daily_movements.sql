{{
    config(
        unique_key='load_id',
        indexes=[
            {'columns': ['entity', 'day']},
            {'columns': ['load_id']},
        ],
    )
}}

with

sale_versions as (

    {{ touched_versions(ref('int_sale_versions'), key=['source_name', 'sale_code']) }}

),

interaction_versions as (

    {{ touched_versions(ref('stg_interaction_versions'), key=['source_name', 'interaction_code']) }}

),

versions as (

    select
        'sales' as entity,
        source_name,
        sale_code as code,
        sale_date as day,
        total_amount as amount,
        is_deleted,
        load_id,
        source_line,
        source_file
    from sale_versions

    union all

    select
        'interactions' as entity,
        source_name,
        interaction_code as code,
        cast({{ reporting_time('occurred_at') }} as date) as day,
        null as amount,
        is_deleted,
        load_id,
        source_line,
        source_file
    from interaction_versions

),

versions_with_previous as (

    select
        versions.*,
        lag(is_deleted) over arrival as previous_is_deleted,
        lag(day) over arrival as previous_day,
        lag(amount) over arrival as previous_amount
    from versions
    window arrival as (partition by entity, source_name, code order by load_id, source_line, source_file)

),

-- What a version brings to its day, and what it takes away from the day of the version that it replaces.
movements as (

    select
        entity,
        load_id,
        day,
        case when is_deleted then 0 else 1 end as number_of_rows,
        case when is_deleted then 0 else amount end as amount
    from versions_with_previous

    union all

    select
        entity,
        load_id,
        previous_day as day,
        -1 as number_of_rows,
        -previous_amount as amount
    from versions_with_previous
    where not previous_is_deleted

),

int_daily_movements as (

    select
        cast(entity as {{ dbt.type_string() }}) as entity,
        load_id,
        day,
        sum(number_of_rows) as number_of_rows,
        cast(sum(amount) as {{ money(18) }}) as amount
    from movements
    {%- if is_incremental() %}
    where load_id > {{ watermark() }}
    {%- endif %}
    group by entity, load_id, day

)

select * from int_daily_movements
