{#- Nothing was lost on one hop of the way from the source to the metrics. Returns what differs there. -#}
{% test hop_reconciled(model, hop) %}
select *
from {{ model }}
where broken_hop = '{{ hop }}'
{% endtest %}
