{%- for name in var('metric_models') %}
-- depends_on: {{ ref(name) }}
{%- endfor %}
-- depends_on: {{ ref('int_sale_versions') }} {{ ref('int_daily_movements') }} {{ ref('int_product_versions') }} {{ ref('int_customer_versions') }}
{{
    config(
        incremental_strategy='append',
        pre_hook="{{ delete_component_days() }}",
        post_hook="{{ analyze_grown_table() }}",
        indexes=[
            {'columns': ['metric_date']},
            {'columns': ['load_id']},
        ],
    )
}}

{%- if execute %}
{%- set plan = metric_plan() %}

{{ metric_components_sql(plan, component_work(plan)) }}
{%- else %}
select 1 as component
{%- endif %}
