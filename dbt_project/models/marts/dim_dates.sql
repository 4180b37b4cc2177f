{%- set start_month = var('fiscal_year_start_month') | int %}
{%- if start_month not in range(1, 13) %}
    {{ exceptions.raise_compiler_error('fiscal_year_start_month is a month, 1 to 12, not ' ~ start_month) }}
{%- endif %}
{%- set months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'] %}
{%- set weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] %}

with

holidays as (

    select
        cast(listed.holiday_date as date) as holiday_date,
        listed.holiday_name
    from (
        values
        {%- for day, name in holidays_of(var('holiday_country')) %}
            ('{{ day }}', {{ dbt.string_literal(dbt.escape_single_quotes(name)) }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as listed (holiday_date, holiday_name)

),

known_years as (

    select
        {{ dbt.date_trunc('year', 'min(holiday_date)') }} as first_day,
        {{ dbt.dateadd('year', 1, dbt.date_trunc('year', 'max(holiday_date)')) }} as end_day
    from holidays

),

days_of_facts as (

    select
        min(sale_date) as first_day,
        max(sale_date) as last_day
    from {{ ref('fact_sales') }}

    union all

    select
        cast(min(interaction_date) as date) as first_day,
        cast(max(interaction_date) as date) as last_day
    from {{ ref('fact_interactions') }}

    union all

    select
        min(stock_date) as first_day,
        max(stock_date) as last_day
    from {{ ref('int_stock_levels') }}

),

-- Whole years, with one more on either side: for fiscal years, comparisons and forecasts.
bounds as (

    select
        cast({{ dbt.dateadd('year', -1, dbt.date_trunc('year', 'min(first_day)')) }} as date) as first_day,
        cast(
            {{ dbt.dateadd('day', -1, dbt.dateadd('year', 2, dbt.date_trunc('year', 'max(last_day)'))) }}
            as date
        ) as last_day
    from days_of_facts

),

days as (

    {{ all_days('bounds', 'first_day', 'last_day') }}

),

days_with_weeks as (

    select
        metric_date as date_day,
        cast(extract(year from metric_date) as {{ dbt.type_int() }}) as year_number,
        cast(extract(month from metric_date) as {{ dbt.type_int() }}) as month_number,
        cast(extract(day from metric_date) as {{ dbt.type_int() }}) as day_of_month,
        cast({{ dbt.date_trunc('week', 'metric_date') }} as date) as week_start
    from days

),

-- By ISO 8601 a week belongs to the year of its Thursday.
days_with_thursdays as (

    select
        *,
        {{ dbt.datediff('week_start', 'date_day', 'day') }} + 1 as day_of_week,
        cast({{ dbt.dateadd('day', 3, 'week_start') }} as date) as thursday
    from days_with_weeks

),

days_with_numbers as (

    select
        *,
        cast(extract(year from thursday) as {{ dbt.type_int() }}) as iso_year,
        cast(
            floor({{ dbt.datediff("cast(" ~ dbt.date_trunc('year', 'thursday') ~ " as date)", 'thursday', 'day') }} / 7.0)
            as {{ dbt.type_int() }}
        ) + 1 as iso_week,
        cast(floor((month_number - 1) / 3.0) as {{ dbt.type_int() }}) + 1 as quarter_number,
        mod(month_number - {{ start_month }} + 12, 12) + 1 as fiscal_month
    from days_with_thursdays

),

dim_dates as (

    select
        days.date_day,
        days.year_number,
        days.quarter_number,
        days.month_number,
        case days.month_number
            {%- for month in months %}
            when {{ loop.index }} then '{{ month }}'
            {%- endfor %}
        end as month_name,
        days.day_of_month,
        days.day_of_week,
        case days.day_of_week
            {%- for weekday in weekdays %}
            when {{ loop.index }} then '{{ weekday }}'
            {%- endfor %}
        end as day_name,
        days.day_of_week > 5 as is_weekend,
        days.week_start,
        cast({{ dbt.date_trunc('month', 'days.date_day') }} as date) as month_start,
        cast({{ dbt.date_trunc('quarter', 'days.date_day') }} as date) as quarter_start,
        days.iso_year,
        days.iso_week,
        -- Named after the year in which it ends.
        days.year_number
        {%- if start_month > 1 %} + case when days.month_number >= {{ start_month }} then 1 else 0 end {%- endif %} as fiscal_year,
        cast(floor((days.fiscal_month - 1) / 3.0) as {{ dbt.type_int() }}) + 1 as fiscal_quarter,
        days.fiscal_month,
        case
            when days.date_day >= known_years.first_day and days.date_day < known_years.end_day
                then holidays.holiday_date is not null
        end as is_holiday,
        holidays.holiday_name
    from days_with_numbers as days
    cross join known_years
    left join holidays
        on days.date_day = holidays.holiday_date

)

select * from dim_dates
