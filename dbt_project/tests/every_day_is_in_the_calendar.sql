{{ config(meta={'dagster': {'ref': {'name': 'dim_dates'}}}) }}

-- Every day with a fact is in the calendar. Returns the days that are not.
select
    days.entity,
    days.day
from {{ ref('ops_reconciliation_days') }} as days
left join {{ ref('dim_dates') }} as dates
    on days.day = dates.date_day
where days.fact_rows > 0
    and dates.date_day is null
