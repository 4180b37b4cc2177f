{#- Which months of activity an increment of metrics_cohorts computes again: those of the touched days, and all months of
    customers who move to another cohort. First days of months, as texts. -#}
{% macro touched_cohort_months() -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set query -%}
        with

        versions as (

            {{ touched_sales() }}

        ),

        first_days as (

            {{ touched_first_days('versions') }}

        )

        select {{ period_of('month', 'sale_date') }} as activity_month from versions

        union

        select {{ period_of('month', 'sales.sale_date') }} as activity_month
        from first_days
        inner join {{ ref('fact_sales') }} as sales
            on first_days.customer_id = sales.customer_id
        where first_days.first_untouched_day is null
            or {{ period_of('month', 'first_days.first_touched_day') }} < {{ period_of('month', 'first_days.first_untouched_day') }}
    {%- endset -%}
    {%- set months = [] -%}
    {%- for row in run_query(query).rows -%}{%- do months.append(row[0] | string) -%}{%- endfor -%}
    {{ return(months | unique | sort) }}
{%- endmacro %}


{#- True for a day in one of the months, in a form that an index on the day serves. -#}
{% macro in_months(column, months) -%}
    {{ in_ranges(touched_periods('month', months)) | replace('@day@', column) }}
{%- endmacro %}


{% macro delete_cohort_months() -%}
    {%- if is_incremental() and execute -%}
        {%- set months = touched_cohort_months() -%}
        {%- if months -%}
        {{ delete_where(in_months('activity_month', months)) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
