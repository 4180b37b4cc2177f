{{ config(materialized='table') }}

with

loads as (

    select * from {{ source('ops', 'loads') }}

),

horizon as (

    select coalesce(max(load_id), 0) as load_id
    from loads
    where state = 'loaded'

)

select * from horizon
