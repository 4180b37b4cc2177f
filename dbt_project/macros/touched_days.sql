{#- Which days an increment of a daily table has to compute again. They enter the SQL as dates, looked up while the
    model compiles, so that the planner sees how few they are. -#}

{#- The days, as texts, on which rows of an entity landed, changed or went away since the model's newest load. For sales
    also those on which a customer was new, or is new now, by a line that did not change itself, and those for which a
    cost of a product is another one. Besides, the days of the facts of changed members: `members` maps the id that fact and
    dimension share to a select of such ids. -#}
{% macro touched_days(entity, members={}) -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set day = 'facts.sale_date' if entity == 'sales' else 'cast(facts.interaction_date as date)' -%}
    {%- set query -%}
        -- What a load brought to a day, and what it took away from the day of an older version.
        select day as metric_date
        from {{ ref('int_daily_movements') }}
        where entity = '{{ entity }}'
            and load_id > {{ watermark() }}
        {%- if entity == 'sales' %}

        union

        select first_untouched_day as metric_date
        from ({{ touched_first_days() }}) as first_days
        where first_touched_day < first_untouched_day

        union

        select facts.sale_date as metric_date
        from ({{ changed_costs() }}) as changed_costs
        inner join {{ ref('fact_sales') }} as facts
            on changed_costs.product_id = facts.product_id
            and changed_costs.first_day <= facts.sale_date
        {%- endif %}
        {%- for id, changed in members.items() %}

        union

        select {{ day }} as metric_date
        from ({{ changed }}) as members
        inner join {{ ref('fact_' ~ entity) }} as facts
            on members.{{ id }} = facts.{{ id }}
        {%- endfor %}
    {%- endset -%}
    {%- set days = [] -%}
    {%- for row in run_query('select distinct metric_date from (' ~ query ~ ') as touched order by metric_date').rows -%}
        {%- do days.append(row[0] | string) -%}
    {%- endfor -%}
    {{ return(days) }}
{%- endmacro %}


{#- A select of the ids of a dimension's members of which the given columns may have changed since the model's newest
    load. Where all landed versions of the columns can be read, those that the newest load had are compared with the later
    ones; else every member whose row landed counts. -#}
{% macro changed_members(dimension, id, columns) -%}
    {%- set versions, known_columns = {
        'dim_products': (ref('int_product_versions'), ['category', 'subcategory']),
        'dim_customers': (ref('int_customer_versions'), ['city', 'country', 'segment']),
    }.get(dimension.name, (none, [])) -%}
    {%- if columns | reject('in', known_columns) | list %}
    select {{ id }}
    from {{ dimension.relation_name }}
    where load_id > {{ watermark() }}
    {%- else %}
    select versions.{{ id }}
    from {{ versions }} as versions
    inner join (
        select
            {{ id }},
            max(case when load_id <= {{ watermark() }} then load_id end) as known_load_id
        from {{ versions }}
        where {{ id }} in (select {{ id }} from {{ versions }} where load_id > {{ watermark() }})
        group by {{ id }}
    ) as changed
        on versions.{{ id }} = changed.{{ id }}
        and versions.load_id >= coalesce(changed.known_load_id, 0)
    group by versions.{{ id }}, changed.known_load_id
    having changed.known_load_id is null
        {%- for column in columns %}
        or min(versions.{{ column }}) <> max(versions.{{ column }})
        or count(versions.{{ column }}) not in (0, count(*))
        {%- endfor %}
    {%- endif %}
{%- endmacro %}


{#- The customers of whose sales something landed, with the first day of these and the first day of the others. `versions`
    names a CTE of touched_sales, where there is one. -#}
{% macro touched_first_days(versions=none) -%}
    select
        customer_id,
        first_touched_day,
        (
            select min(sales.sale_date)
            from {{ ref('fact_sales') }} as sales
            where sales.customer_id = touched_customers.customer_id
                and sales.load_id <= {{ watermark() }}
        ) as first_untouched_day
    from (
        select
            customer_id,
            min(sale_date) as first_touched_day
        from {{ versions or '(' ~ touched_sales() ~ ')' }} as versions
        where customer_id <> 0
        group by customer_id
    ) as touched_customers
{%- endmacro %}


{#- All versions of the sale lines of which something landed. -#}
{% macro touched_sales() -%}
    {{ touched_versions(ref('int_sale_versions'), key=['source_name', 'sale_code']) }}
{%- endmacro %}


{#- True for the given days of a column. -#}
{% macro is_one_of_days(column, days) -%}
    {%- if not days -%}
        1 = 0
    {%- else -%}
        {{ column }} in (
            {%- for day in days %}cast('{{ day }}' as date){{ ', ' if not loop.last }}{% endfor -%}
        )
    {%- endif -%}
{%- endmacro %}


{#- A pre-hook of a daily table that appends: removes the days that the increment computes again. -#}
{% macro delete_days(days) -%}
    {%- if is_incremental() and days -%}
        {{ delete_where(is_one_of_days('metric_date', days)) }}
    {%- endif -%}
{%- endmacro %}


{#- A pre-hook of a table of customers that appends: removes those of whose sales something landed, the customers
    too from whom a correction took their only sale. -#}
{% macro delete_touched_customers() -%}
    {%- if is_incremental() -%}
        {{ delete_where('customer_id in (select customer_id from (' ~ touched_sales() ~ ') as versions)') }}
    {%- endif -%}
{%- endmacro %}
