{#- Student's t distribution in plain SQL, by the continued fraction of the incomplete beta function. -#}

{#- The two-sided significance of a t statistic with a whole number of degrees of freedom: the chance of one at least
    as far from 0 where there is no effect. `t` and `df` are columns; df from 1 to `largest`. It is
    I_x(df / 2, 1 / 2) at x = df / (df + t²); relative error below 1e-11 (tests/test_metrics_statistics.py). -#}
{% macro student_t_significance(t, df, largest) -%}
    {%- set double = double_type() -%}
    {%- set x = '(cast(' ~ df ~ ' as ' ~ double ~ ') / (' ~ df ~ ' + ' ~ t ~ ' * ' ~ t ~ '))' -%}
    {%- set y = '(' ~ t ~ ' * ' ~ t ~ ' / (' ~ df ~ ' + ' ~ t ~ ' * ' ~ t ~ '))' -%}
    {%- set a = '(cast(' ~ df ~ ' as ' ~ double ~ ') / 2)' -%}
    {%- set half = 'cast(0.5 as ' ~ double ~ ')' -%}
    {#- x^a (1 − x)^(1/2) / B(a, 1/2); 1 / B is the ratio of two gammas over the root of pi. -#}
    {%- set factor = 'power(' ~ x ~ ', ' ~ a ~ ') * sqrt(' ~ y ~ ') * ' ~ gamma_ratio(df, largest) -%}
    case
        when {{ t }} = 0 then cast(1 as {{ double }})
        when {{ x }} < ({{ a }} + 1) / ({{ a }} + 2.5)
            then {{ factor }} / {{ a }} / {{ beta_fraction(a, half, x) }}
        else 1 - {{ factor }} / {{ half }} / {{ beta_fraction(half, a, y) }}
    end
{%- endmacro %}


{#- Γ((df + 1) / 2) / Γ(df / 2) / √π for each df, from its first two values by the recursion (df + 1) / df. -#}
{% macro gamma_ratio(df, largest) -%}
    {%- set ratios = [none, 1 / 3.141592653589793, 0.5] -%}
    {%- for n in range(3, largest + 1) -%}
        {%- do ratios.append(ratios[n - 2] * (n - 1) / (n - 2)) -%}
    {%- endfor -%}
    (case {{ df }}
        {%- for n in range(1, largest + 1) %} when {{ n }} then cast({{ '%.17g' % ratios[n] }} as {{ double_type() }}){% endfor %} end)
{%- endmacro %}


{#- The reciprocal of the continued fraction of I_x(a, b), from its 40th step back to the first. -#}
{% macro beta_fraction(a, b, x) -%}
    {%- set steps = [] -%}
    {%- for m in range(1, 21) -%}
        {%- do steps.append('-(' ~ a ~ ' + ' ~ (m - 1) ~ ') * (' ~ a ~ ' + ' ~ b ~ ' + ' ~ (m - 1) ~ ') / ((' ~ a ~ ' + ' ~ (2 * m - 2) ~ ') * (' ~ a ~ ' + ' ~ (2 * m - 1) ~ '))') -%}
        {%- do steps.append(m ~ ' * (' ~ b ~ ' - ' ~ m ~ ') / ((' ~ a ~ ' + ' ~ (2 * m - 1) ~ ') * (' ~ a ~ ' + ' ~ (2 * m) ~ '))') -%}
    {%- endfor -%}
    {%- set written = namespace(sql='1') -%}
    {%- for step in steps | reverse -%}
        {%- set written.sql = '(1 + ' ~ step ~ ' * ' ~ x ~ ' / ' ~ written.sql ~ ')' -%}
    {%- endfor -%}
    {{ written.sql }}
{%- endmacro %}
