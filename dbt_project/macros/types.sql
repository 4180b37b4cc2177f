{#- Amounts of money: two decimals, with explicit precision, since a bare numeric differs between databases. -#}
{% macro money(precision=10) -%}
    numeric({{ precision }}, 2)
{%- endmacro %}


{#- Sums of anything, without rounding on the way. -#}
{% macro exact_type() -%}
    numeric(28, 8)
{%- endmacro %}


{#- True for a floating point number that is one: not null, NaN or infinite. NaN is ordered above infinity. -#}
{% macro is_number(value) -%}
    cast('-Infinity' as {{ double_type() }}) < {{ value }} and {{ value }} < cast('Infinity' as {{ double_type() }})
{%- endmacro %}


{#- a × b / c of amounts, to six decimals. Databases keep different numbers of digits of a quotient: so the product is
    taken first, and the digits are said. -#}
{% macro proportion(a, b, c) -%}
    cast(
        cast({{ a }} as {{ money(14) }}) * cast({{ b }} as {{ money(14) }}) / cast({{ c }} as {{ money(14) }})
        as numeric(28, 6)
    )
{%- endmacro %}


{#- Floating point numbers of 64 bits. -#}
{% macro double_type() -%}
    {{ return(adapter.dispatch('double_type')()) }}
{%- endmacro %}

{% macro default__double_type() -%}
    double precision
{%- endmacro %}

{% macro spark__double_type() -%}
    double
{%- endmacro %}
