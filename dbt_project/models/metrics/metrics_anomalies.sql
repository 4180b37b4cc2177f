{%- for name in var('metric_models') %}
-- depends_on: {{ ref(name) }}
{%- endfor %}
-- depends_on: {{ ref('metrics_values') }} {{ ref('metrics_components') }} {{ ref('dim_dates') }}
-- depends_on: {{ ref('int_sale_versions') }} {{ ref('int_daily_movements') }} {{ ref('int_product_versions') }} {{ ref('int_customer_versions') }}
{{
    config(
        incremental_strategy='append',
        pre_hook="{{ delete_judged_days() }}",
        indexes=[
            {'columns': ['metric_date']},
            {'columns': ['load_id']},
        ],
    )
}}
{%- if execute %}
{%- set plan = metric_plan() %}
{%- set days = judged_work(plan) %}
{%- set since = "cast('" ~ (days[0] if days else '9999-12-31') ~ "' as date)" if days is not none %}

with

metric_values as (

    select * from {{ ref('metrics_values') }}
    where grain = 'day'
        and (
            1 = 0
            {%- for name, metric in plan.metrics.items() if not metric.cumulative %}
            or (metric = '{{ name }}' and dimension in ('{{ (["total"] + semantic_metric(name, name).config.meta.get("watch", [])) | join("', '") }}'))
            {%- endfor %}
        )

),

holidays as (

    select date_day from {{ ref('dim_dates') }}
    where is_holiday

),

settings as (
{% for name, metric in plan.metrics.items() if not metric.cumulative %}
    {%- set meta = semantic_metric(name, name).config.meta %}
    select
        '{{ name }}' as metric,
        cast({{ meta.get('minimum_volume', 0) }} as {{ double_type() }}) as minimum_volume,
        cast({{ "'" ~ meta.one_sided ~ "'" if meta.one_sided else 'null' }} as {{ dbt.type_string() }}) as one_sided
    {{ 'union all' if not loop.last }}
{%- endfor %}
),

series_days as (

    select
        metric_values.metric || ':' || metric_values.dimension || ':' || metric_values.dimension_value as series,
        metric_values.period as day,
        metric_values.value,
        settings.minimum_volume,
        settings.one_sided,
        metric_values.metric,
        metric_values.dimension,
        metric_values.dimension_value,
        metric_values.definition,
        metric_values.load_id
    from metric_values
    inner join settings
        on metric_values.metric = settings.metric

),

judged as (

    select *
    from (
        {{
            judged_days(
                'series_days',
                'holidays',
                since,
                columns=['metric', 'dimension', 'dimension_value', 'definition', 'load_id'],
            ) | indent(8)
        }}
    ) as judged

),

metrics_anomalies as (

    select
        metric,
        day as metric_date,
        dimension,
        dimension_value,
        value,
        expected,
        lower,
        upper,
        score,
        cast(verdict as {{ dbt.type_string() }}) as verdict,
        definition,
        load_id
    from judged

)

select * from metrics_anomalies
{%- endif %}
