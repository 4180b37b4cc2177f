{#- Nothing was lost on one hop of the way from the source to the metrics. Returns the loads or days, as they were
    counted, of which something was. It is a test of the sums, not of the counts, since those must be there to
    show what failed. -#}
{% test hop_reconciled(model, hop, counted) %}
select counted.*
from {{ counted }} as counted
left join {{ model }} as sums
    on counted.entity = sums.entity
where counted.broken_hop = '{{ hop }}'
{% endtest %}
