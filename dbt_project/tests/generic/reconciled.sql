{#- No row and no amount was lost between landing, facts and metrics. Returns the entities where one was. -#}
{% test reconciled(model) %}
select *
from {{ model }}
where difference_rows <> 0
    or difference_amount <> 0
{% endtest %}
