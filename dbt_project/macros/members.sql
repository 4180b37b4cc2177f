{#- What all dimensions say about where a member comes from. -#}

{#- True for a member that is only known because another row names its code. -#}
{% macro is_inferred(id, landed_code) -%}
    {{ id }} <> 0 and {{ landed_code }} is null
{%- endmacro %}


{#- The load that brought the member's row, or its code where it is inferred; none brought the unknown one. -#}
{% macro member_load_id(id, row_load_id, key_load_id) -%}
    case when {{ id }} <> 0 then coalesce({{ row_load_id }}, {{ key_load_id }}) end
{%- endmacro %}


{#- True unless the source says that the member is out of use, or deleted it: what is not offered any more. -#}
{% macro is_active(active, is_deleted) -%}
    coalesce({{ active }}, true) and not coalesce({{ is_deleted }}, false)
{%- endmacro %}
