{{ config(alias='amount_differences', materialized='view') }}

with

sales as (

    select * from {{ ref('fact_sales') }}

),

ops_amount_differences as (

    select
        sale_id,
        source_name,
        sale_code,
        sale_date,
        product_id,
        quantity,
        unit_price,
        discount_amount,
        total_amount,
        amount_difference,
        source_file,
        source_line,
        load_id
    from sales
    where amount_difference > 0.01
        or amount_difference < -0.01

)

select * from ops_amount_differences
