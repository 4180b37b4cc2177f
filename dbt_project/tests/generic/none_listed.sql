{#- Nothing stands on a list of what a person should look at. Returns what does. -#}
{% test none_listed(model) %}
select * from {{ model }}
{% endtest %}
