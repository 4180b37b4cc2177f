{#- Metrics of periods from their components by day: the SQL of metrics_values. -#}

{#- The days that a build computes anew, none for all of them. All where a
    metric's definition is new or changed, or where it is not known what was touched. -#}
{% macro values_work(plan, day='period', daily="grain = 'day'", longest="grain = 'fiscal_year' and dimension = 'total'") -%}
    {%- if not is_incremental() or not execute -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set known = {} -%}
    {%- for row in run_query('select metric, min(definition), max(definition) from ' ~ this
        ~ ' where ' ~ longest ~ ' group by metric').rows -%}
        {%- do known.update({row[0]: [row[1], row[2]]}) -%}
    {%- endfor -%}
    {%- for name, definitions in known.items() -%}
        {%- if name not in plan.metrics or definitions != [plan.metrics[name].definition] * 2 -%}
            {{ return(none) }}
        {%- endif -%}
    {%- endfor -%}
    {#- A metric without a row is new, unless one of its components has no amount yet; 0 fills the days of a model that has
        rows. -#}
    {%- set present = run_query(
        'select component from ' ~ ref('metrics_components') ~ " where dimension = 'total' group by component having count(amount) > 0"
    ).columns[0].values() | list -%}
    {%- set filled_models = [] -%}
    {%- for id in present if id in plan.components -%}
        {%- do filled_models.append(plan.components[id].model) -%}
    {%- endfor -%}
    {%- for name, metric in plan.metrics.items() if name not in known -%}
        {%- set missing = [] -%}
        {%- for id in metric.components if id not in present -%}
            {%- if plan.components[id].fill is none or plan.components[id].model not in filled_models -%}
                {%- do missing.append(id) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if not missing -%}
            {{ return(none) }}
        {%- endif -%}
    {%- endfor -%}
    {%- set days = [] -%}
    {%- for name in plan.components.values() | map(attribute='model') | unique -%}
        {%- set touched = touched_days_of(semantic_model(name, name), plan) -%}
        {%- if touched is none -%}
            {{ return(none) }}
        {%- endif -%}
        {%- set moved = days_of_moved_bounds(plan, name, day, daily) -%}
        {%- if moved is none -%}
            {{ return(none) }}
        {%- endif -%}
        {%- do days.extend(touched + moved) -%}
    {%- endfor -%}
    {{ return(days | unique | sort) }}
{%- endmacro %}


{#- The days between the first and last day on which a model has rows now and those that it had in the last build: there
    a metric that YAML fills is 0, or is no longer. The former are those of a metric that is a filled component alone;
    where the model has none but fills, they are not known (none). -#}
{% macro days_of_moved_bounds(plan, model_name, day, daily) -%}
    {%- set ids, filled, names = [], [], [] -%}
    {%- for id, part in plan.components.items() if part.model == model_name -%}
        {%- do ids.append(id) -%}
        {%- if part.fill is not none -%}{%- do filled.append(id) -%}{%- endif -%}
    {%- endfor -%}
    {%- for name, metric in plan.metrics.items() if metric.expression in filled and not metric.cumulative -%}
        {%- do names.append(name) -%}
    {%- endfor -%}
    {%- if not filled -%}
        {{ return([]) }}
    {%- elif not names -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set before = run_query('select min(' ~ day ~ '), max(' ~ day ~ ') from ' ~ this ~ ' where ' ~ daily
        ~ " and dimension = 'total' and metric = '" ~ names[0] ~ "'").rows[0] -%}
    {%- set now = run_query('select min(metric_date), max(metric_date) from ' ~ ref('metrics_components')
        ~ " where dimension = 'total' and component in ('" ~ ids | join("', '") ~ "')").rows[0] -%}
    {%- set days = [] -%}
    {%- for one, other in [(before, now), (now, before)] if one[0] is not none -%}
        {%- for number in range((one[1] - one[0]).days + 1) -%}
            {%- set date = one[0] + modules.datetime.timedelta(days=number) -%}
            {%- if other[0] is none or date < other[0] or date > other[1] -%}
                {%- do days.append(date | string) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(days) }}
{%- endmacro %}


{#- The periods of a grain in which the days lie, as [first day of the first, last day of the last] where they adjoin. -#}
{% macro touched_periods(grain, days) -%}
    {%- set ranges = [] -%}
    {%- for text in days -%}
        {%- set day = modules.datetime.date.fromisoformat(text) -%}
        {%- if not ranges or day > ranges[-1][1] -%}
            {%- set start, end = period_start(grain, day), period_end(grain, day) -%}
            {%- if ranges and (start - ranges[-1][1]).days == 1 -%}
                {%- set before = ranges.pop() -%}
                {%- do ranges.append([before[0], end]) -%}
            {%- else -%}
                {%- do ranges.append([start, end]) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(ranges) }}
{%- endmacro %}


{#- True for a day in the touched periods of a grain; where everything is computed, always. -#}
{% macro is_in_touched_period(grain, column, days) -%}
    {{ 'true' if days is none else in_ranges(touched_periods(grain, days)) | replace('@day@', column) }}
{%- endmacro %}


{#- A pre-hook of metrics_values: removes what the increment computes again. -#}
{% macro delete_touched_values() -%}
    {%- if is_incremental() and execute -%}
        {%- set plan = metric_plan() -%}
        {%- set days = values_work(plan) -%}
        {%- if days is none -%}
        {{ delete_where('1 = 1') }}
        {%- elif days -%}
        {%- set touched -%}
            {%- for grain in grains() %}
            {{ 'or ' if not loop.first }}(grain = '{{ grain }}' and {{ is_in_touched_period(grain, 'period', days) }})
            {%- endfor %}
            {%- for name, metric in plan.metrics.items() if metric.cumulative %}
            or (metric = '{{ name }}' and period_end >= cast('{{ days[0] }}' as date))
            {%- endfor %}
        {%- endset -%}
        {{ delete_where(touched) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{#- The expression of a metric with its components as columns of floating point. -#}
{% macro as_double(expression, components) -%}
    {%- set written = namespace(sql=expression) -%}
    {%- for id in components -%}
        {%- set written.sql = written.sql | replace(id, 'cells.' ~ id) -%}
    {%- endfor -%}
    {{ return(written.sql) }}
{%- endmacro %}


{#- The select of metrics_values. `days` as by values_work. -#}
{% macro metric_values_sql(plan, days) -%}
{%- set models = plan.components.values() | map(attribute='model') | unique | list -%}
{%- set simple, cumulative = {}, {} -%}
{%- for name, metric in plan.metrics.items() -%}
    {%- do (cumulative if metric.cumulative else simple).update({name: metric}) -%}
{%- endfor -%}
{%- set extremes = {'min': [], 'max': []} -%}
{%- for id, part in plan.components.items() if part.agg in extremes -%}{%- do extremes[part.agg].append(id) -%}{%- endfor -%}
with

component_days as (

    select * from {{ ref('metrics_components') }}
    where dimension <> 'definition'

),

-- Between the first and the last day on which rows of its model lie, a metric that YAML fills is 0 where there are none.
model_days as (

    select
        case component
            {%- for id, part in plan.components.items() %}
            when '{{ id }}' then '{{ part.model }}'
            {%- endfor %}
        end as model,
        metric_date
    from component_days
    where dimension = 'total'

),

model_bounds as (

    select
        {%- for name in models %}
        min(case when model = '{{ name }}' then metric_date end) as first_{{ name }},
        max(case when model = '{{ name }}' then metric_date end) as last_{{ name }},
        {%- endfor %}
        min(metric_date) as first_day,
        max(metric_date) as last_day
    from model_days

),

bounds as (

    select
        first_day,
        last_day
    from model_bounds
    {%- if days is not none and not days %}
    where 1 = 0
    {%- elif days is not none %}
    where last_day >= cast('{{ days[0] }}' as date)
    {%- endif %}

),

calendar as (

    {{ all_days('bounds', 'first_day', 'last_day') }}

),

components_by_period as (
{% for grain in grains() %}
    select
        '{{ grain }}' as grain,
        {{ period_of(grain, 'metric_date') }} as period,
        dimension,
        dimension_value,
        component,
        {%- set amount = 'amount' if grain == 'day' else 'coalesce(' ~ grain ~ '_amount, amount)' %}
        case
            {%- for agg, ids in extremes.items() if ids %}
            when component in ('{{ ids | join("', '") }}') then {{ agg }}(amount)
            {%- endfor %}
            else sum({{ amount }})
        end as amount,
        max(load_id) as load_id
    from component_days
    {%- if days is not none %}
    where {{ is_in_touched_period(grain, 'metric_date', days) }}
    {%- endif %}
    group by {{ period_of(grain, 'metric_date') }}, dimension, dimension_value, component

    union all

    select distinct
        '{{ grain }}' as grain,
        {{ period_of(grain, 'metric_date') }} as period,
        'total' as dimension,
        'total' as dimension_value,
        cast(null as {{ dbt.type_string() }}) as component,
        cast(null as {{ exact_type() }}) as amount,
        cast(null as {{ dbt.type_bigint() }}) as load_id
    from calendar
    {%- if days is not none %}
    where {{ is_in_touched_period(grain, 'metric_date', days) }}
    {%- endif %}
    {% if not loop.last %}
    union all
    {% endif %}
{%- endfor %}
),

pivoted as (

    select
        grain,
        period,
        dimension,
        dimension_value,
        {%- for id in plan.components %}
        max(case when component = '{{ id }}' then amount end) as {{ id }},
        {%- endfor %}
        max(load_id) as load_id
    from components_by_period
    group by grain, period, dimension, dimension_value

),

period_bounds as (
{% for grain in grains() %}
    select
        '{{ grain }}' as grain
        {%- for name in models %},
        {{ period_of(grain, 'first_' ~ name) }} as first_{{ name }},
        last_{{ name }}
        {%- endfor %}
    from model_bounds
    {{ 'union all' if not loop.last }}
{%- endfor %}
),

cells as (

    select
        pivoted.grain,
        pivoted.period,
        pivoted.dimension,
        pivoted.dimension_value,
        {%- for id, part in plan.components.items() %}
        cast(
            {%- if part.fill is none %}
            pivoted.{{ id }}
            {%- else %}
            case
                when pivoted.{{ id }} is not null then pivoted.{{ id }}
                when pivoted.period between period_bounds.first_{{ part.model }} and period_bounds.last_{{ part.model }} then {{ part.fill }}
            end
            {%- endif %}
            as {{ double_type() }}
        ) as {{ id }},
        {%- endfor %}
        pivoted.load_id
    from pivoted
    inner join period_bounds
        on pivoted.grain = period_bounds.grain

),

simple_values as (

    select
        metrics.metric,
        cells.grain,
        cells.period,
        cells.dimension,
        cells.dimension_value,
        cast(
            case metrics.metric
                {%- for name, metric in simple.items() %}
                when '{{ name }}' then {{ as_double(metric.expression, metric.components) }}
                {%- endfor %}
            end
            as {{ double_type() }}
        ) as value,
        cells.load_id
    from cells
    inner join (
        {%- for name, metric in simple.items() %}
        {%- for dimension in ['total'] + metric.dimensions %}
        select '{{ name }}' as metric, '{{ dimension }}' as dimension
        {{ 'union all' if not loop.last }}
        {%- endfor %}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as metrics
        on cells.dimension = metrics.dimension

),
{%- for name, metric in cumulative.items() %}
{%- set number = loop.index %}
{%- set id = metric.components[0] %}
{%- set part = plan.components[id] %}
{%- set running = metric.cumulative %}

running_days_{{ number }} as (

    select
        calendar.metric_date,
        members.dimension,
        members.dimension_value,
        sum(coalesce(component_days.amount, 0)) over (
            partition by
                members.dimension,
                members.dimension_value
                {%- if running.grain %},
                {{ dbt.date_trunc(running.grain, 'calendar.metric_date') }}
                {%- endif %}
            order by calendar.metric_date
            rows between {{ (running.days - 1) ~ ' preceding' if running.days else 'unbounded preceding' }} and current row
        ) as amount,
        max(component_days.load_id) over (
            partition by members.dimension, members.dimension_value order by calendar.metric_date
        ) as load_id
    from (
        {{ all_days('model_bounds', 'first_' ~ part.model, 'last_' ~ part.model) }}
    ) as calendar
    inner join (
        select
            dimension,
            dimension_value,
            min(metric_date) as first_day
        from component_days
        where component = '{{ id }}'
            and dimension in ('{{ (["total"] + metric.dimensions) | join("', '") }}')
        group by dimension, dimension_value
    ) as members
        on calendar.metric_date >= members.first_day
    left join component_days
        on component_days.component = '{{ id }}'
        and component_days.dimension = members.dimension
        and component_days.dimension_value = members.dimension_value
        and component_days.metric_date = calendar.metric_date

),

running_periods_{{ number }} as (
{% for grain in grains() %}
    select
        '{{ grain }}' as grain,
        {{ period_of(grain, 'metric_date') }} as period,
        dimension,
        dimension_value,
        min(metric_date) as first_day,
        max(metric_date) as last_day,
        avg(amount) as average_amount
    from running_days_{{ number }}
    group by {{ period_of(grain, 'metric_date') }}, dimension, dimension_value
    {{ 'union all' if not loop.last }}
{%- endfor %}
),

running_values_{{ number }} as (

    select
        '{{ name }}' as metric,
        periods.grain,
        periods.period,
        periods.dimension,
        periods.dimension_value,
        cast({{ 'periods.average_amount' if running.period_agg == 'average' else 'days.amount' }} as {{ double_type() }}) as value,
        days.load_id
    from running_periods_{{ number }} as periods
    inner join running_days_{{ number }} as days
        on periods.dimension = days.dimension
        and periods.dimension_value = days.dimension_value
        and days.metric_date = periods.{{ 'first_day' if running.period_agg == 'first' else 'last_day' }}
    {%- if days is not none %}
    where {% if days -%}
        periods.last_day >= cast('{{ days[0] }}' as date)
            {%- for grain in grains() %}
            or (periods.grain = '{{ grain }}' and {{ is_in_touched_period(grain, 'periods.period', days) }})
            {%- endfor %}
        {%- else -%}
        1 = 0
        {%- endif %}
    {%- endif %}

),
{%- endfor %}

all_values as (

    select * from simple_values
    {%- for name in cumulative %}
    union all
    select * from running_values_{{ loop.index }}
    {%- endfor %}

),

metrics_values as (

    select
        metric,
        grain,
        period,
        cast(
            case grain
                {%- for grain in grains() %}
                when '{{ grain }}' then {{ 'period' if grain == 'day' else dbt.dateadd('day', -1, period_offset(grain, 'period', 1)) }}
                {%- endfor %}
            end
            as date
        ) as period_end,
        dimension,
        dimension_value,
        value,
        cast(
            case metric
                {%- for name, metric in plan.metrics.items() %}
                when '{{ name }}' then '{{ metric.definition }}'
                {%- endfor %}
            end
            as {{ dbt.type_string() }}
        ) as definition,
        load_id
    from all_values
    where {{ is_number('value') }}

)

select * from metrics_values
{%- endmacro %}
