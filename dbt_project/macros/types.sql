{#- Amounts of money: two decimals, with explicit precision, since a bare numeric differs between databases. -#}
{% macro money(precision=10) -%}
    numeric({{ precision }}, 2)
{%- endmacro %}
