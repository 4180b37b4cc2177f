{#- Calendar arithmetic that databases spell differently. -#}

{#- A UTC timestamp as the wall clock of the reporting time zone. -#}
{% macro reporting_time(utc_timestamp) -%}
    {{ return(adapter.dispatch('reporting_time')(utc_timestamp)) }}
{%- endmacro %}

{% macro postgres__reporting_time(utc_timestamp) -%}
    {{ utc_timestamp }} at time zone 'UTC' at time zone '{{ var("reporting_timezone") }}'
{%- endmacro %}

{% macro spark__reporting_time(utc_timestamp) -%}
    from_utc_timestamp({{ utc_timestamp }}, '{{ var("reporting_timezone") }}')
{%- endmacro %}


{#- A select of all days from the first to the last: column metric_date. No rows where the bounds are null. -#}
{% macro all_days(relation, first_day, last_day) -%}
    {{ return(adapter.dispatch('all_days')(relation, first_day, last_day)) }}
{%- endmacro %}

{% macro postgres__all_days(relation, first_day, last_day) -%}
    select cast(days.day as date) as metric_date
    from {{ relation }}
    cross join generate_series({{ first_day }}, {{ last_day }}, interval '1 day') as days (day)
{%- endmacro %}

{% macro spark__all_days(relation, first_day, last_day) -%}
    select explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day)) as metric_date
    from {{ relation }}
{%- endmacro %}


{#- dbt-spark's own forms name each argument several times, so that one within another makes a text that Spark reads
    for a minute. -#}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    timestampadd({{ datepart }}, {{ interval }}, {{ from_date_or_timestamp }})
{%- endmacro %}

{% macro spark__datediff(first_date, second_date, datepart) -%}
    {%- if datepart == 'day' -%}
        datediff(cast({{ second_date }} as date), cast({{ first_date }} as date))
    {%- elif datepart == 'month' -%}
        (year({{ second_date }}) * 12 + month({{ second_date }}) - year({{ first_date }}) * 12 - month({{ first_date }}))
    {%- else -%}
        {{ exceptions.raise_compiler_error('datediff knows day and month, not ' ~ datepart) }}
    {%- endif -%}
{%- endmacro %}


{#- The bounds of what is valid since ever or until further notice: dates, so that a join needs no null. -#}
{% macro beginning_of_time() -%}
    cast('0001-01-01' as date)
{%- endmacro %}

{% macro end_of_time() -%}
    cast('9999-12-31' as date)
{%- endmacro %}
