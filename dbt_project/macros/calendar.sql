{#- The grains of metrics, and the periods that a day lies in. -#}

{% macro grains() -%}
    {{ return(['day', 'week', 'month', 'quarter', 'fiscal_year']) }}
{%- endmacro %}


{#- The first day of the period of a grain that a day lies in. Weeks are ISO weeks, which begin on Monday; the fiscal
    year begins with the month that the variable names. -#}
{% macro period_of(grain, day) -%}
    {%- set shift = var('fiscal_year_start_month') - 1 -%}
    {%- if grain == 'day' -%}
        {{ day }}
    {%- elif grain != 'fiscal_year' -%}
        cast({{ dbt.date_trunc(grain, day) }} as date)
    {%- elif shift == 0 -%}
        cast({{ dbt.date_trunc('year', day) }} as date)
    {%- else -%}
        cast({{ dbt.dateadd('month', shift, dbt.date_trunc('year', dbt.dateadd('month', -shift, day))) }} as date)
    {%- endif -%}
{%- endmacro %}


{#- The first day of the period before (steps < 0) or after. -#}
{% macro period_offset(grain, period, steps) -%}
    {%- set unit, size = {
        'day': ('day', 1), 'week': ('day', 7), 'month': ('month', 1), 'quarter': ('month', 3), 'fiscal_year': ('month', 12)
    }[grain] -%}
    cast({{ dbt.dateadd(unit, steps * size, period) }} as date)
{%- endmacro %}
