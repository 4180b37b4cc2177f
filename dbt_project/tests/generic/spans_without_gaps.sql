{#- A history covers all days of each member, from the beginning of time to its end, and none twice. Returns the members
    whose history does not. -#}
{% test spans_without_gaps(model, id, members) %}
with

spans as (

    select
        {{ id }},
        valid_from,
        valid_to,
        lag(valid_to) over (partition by {{ id }} order by valid_from) as previous_valid_to
    from {{ model }}

),

histories as (

    select
        {{ id }},
        min(valid_from) as first_day,
        max(valid_to) as last_day,
        count(case when previous_valid_to <> valid_from or valid_from >= valid_to then 1 end) as breaks
    from spans
    group by {{ id }}

)

select members.{{ id }}
from {{ members }} as members
left join histories
    on members.{{ id }} = histories.{{ id }}
where histories.first_day is distinct from {{ beginning_of_time() }}
    or histories.last_day is distinct from {{ end_of_time() }}
    or histories.breaks > 0
{% endtest %}
