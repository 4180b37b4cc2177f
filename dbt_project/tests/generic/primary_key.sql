{#- The columns are the table's key: each row has one, and no two rows the same. -#}
{% test primary_key(model, columns) %}
{{ key_violations(model, columns) }}
{% endtest %}
