{#- Every key of a fact has its member. `keys`: column → the dimension whose column of the same name it points
    to. Returns the keys without a member, of the rows that landed since the last whole build (macro checked_load):
    dimensions never lose a member. -#}
{% test foreign_keys(model, keys) %}
{%- for column, dimension in keys.items() %}
{{ 'union all' if not loop.first }}
select
    '{{ column }}' as key_column,
    facts.{{ column }} as key_value
from {{ model }} as facts
left join {{ dimension }} as members
    on facts.{{ column }} = members.{{ column }}
where members.{{ column }} is null
    and facts.load_id > {{ checked_load() }}
{%- endfor %}
{% endtest %}
