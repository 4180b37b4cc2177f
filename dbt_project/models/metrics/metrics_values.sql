{%- for name in var('metric_models') %}
-- depends_on: {{ ref(name) }}
{%- endfor %}
-- depends_on: {{ ref('metrics_components') }}
-- depends_on: {{ ref('int_sale_versions') }} {{ ref('int_daily_movements') }} {{ ref('int_product_versions') }} {{ ref('int_customer_versions') }}
{{
    config(
        incremental_strategy='append',
        pre_hook="{{ delete_touched_values() }}",
        post_hook="{{ analyze_grown_table() }}",
        indexes=[
            {'columns': ['grain', 'period']},
            {'columns': ['load_id']},
        ],
    )
}}
{%- if execute %}
{%- set plan = metric_plan() %}

{{ metric_values_sql(plan, values_work(plan)) }}
{%- endif %}
