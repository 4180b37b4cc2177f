{#- The components of the metrics by day: the SQL of metrics_components. -#}

{#- Where the first component of all days says that it was computed: a day that no data have. -#}
{% macro component_mark() -%}
    {{ beginning_of_time() }}
{%- endmacro %}


{#- What an increment does with each component: {full: [ids], stale: [ids], days: {model → {counted, distinct}}}.
    Full are those that are new, all in a first build, and those of models of which nobody knows what was touched. -#}
{% macro component_work(plan) -%}
    {%- set work = {'full': [], 'stale': [], 'days': {}} -%}
    {%- set known = [] -%}
    {%- if is_incremental() and execute -%}
        {%- set marks = run_query('select component from ' ~ this ~ ' where metric_date = ' ~ component_mark()) -%}
        {%- for row in marks.rows -%}{%- do known.append(row[0]) -%}{%- endfor -%}
        {%- for id in known if id not in plan.components -%}{%- do work.stale.append(id) -%}{%- endfor -%}
    {%- endif -%}
    {%- set touched = {} -%}
    {%- for id, part in plan.components.items() -%}
        {%- set model = semantic_model(id, part.model) -%}
        {%- if id in known and model.name not in touched -%}
            {%- do touched.update({model.name: touched_days_of(model, plan)}) -%}
        {%- endif -%}
        {%- if id not in known or touched[model.name] is none -%}
            {%- do work.full.append(id) -%}
        {%- else -%}
            {%- do work.days.update({model.name: {
                'counted': touched[model.name], 'distinct': days_of_distinct_counts(touched[model.name])
            }}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(work) }}
{%- endmacro %}


{#- The days that a semantic model's new loads touch; none where that is not known, so that all are. -#}
{% macro touched_days_of(model, plan) -%}
    {%- set entity = {'metrics_sale_lines': 'sales', 'fact_interactions': 'interactions'}.get(model.node.name) -%}
    {%- if not entity -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set used = {} -%}
    {%- for part in plan.components.values() if part.model == model.name -%}
        {%- for path in part.dimensions + filter_dimensions(part.filters) -%}
            {%- set found = semantic_dimension('?', part.model, path) -%}
            {%- if found.entity -%}
                {%- do used.setdefault(found.entity, []).append(found.sql | replace(found.entity ~ '.', '')) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set members = {} -%}
    {%- for entity_name, columns in used.items() -%}
        {%- set other = model_of_entity(entity_name) -%}
        {%- if 'load_id' not in other.node.columns -%}
            {{ return(none) }}
        {%- endif -%}
        {%- set id = semantic_entity(other, ['primary', 'unique']).expr -%}
        {%- do members.update({id: changed_members(other.node, id, columns | unique | sort)}) -%}
    {%- endfor -%}
    {{ return(touched_days(entity, members)) }}
{%- endmacro %}


{#- A key is counted on the first day of a period on which it occurs: a touched day can change that for the days after
    it, until the longest of its periods ends. {ranges: [(first, last)] of these days, before: [(first, last)] of the days
    that each range's periods have before it, where a key may have occurred already}. -#}
{% macro days_of_distinct_counts(days) -%}
    {%- set result = {'ranges': [], 'before': []} -%}
    {%- for text in days -%}
        {%- set day = modules.datetime.date.fromisoformat(text) -%}
        {%- if not result.ranges or day > result.ranges[-1][1] -%}
            {%- set since, last = [day], [day] -%}
            {%- for grain in grains() -%}
                {%- do since.append(period_start(grain, day)) -%}
                {%- do last.append(period_end(grain, day)) -%}
            {%- endfor -%}
            {%- do result.ranges.append((day, last | max)) -%}
            {%- do result.before.append((since | min, day - modules.datetime.timedelta(days=1))) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(result) }}
{%- endmacro %}


{#- The dimensions and the entities that filters name. -#}
{% macro filter_dimensions(filters) -%}
    {%- set paths = [] -%}
    {%- for filter in filters -%}
        {%- do paths.extend(modules.re.findall("\\{\\{\\s*Dimension\\(\\s*['\"]([^'\"]+)['\"]\\s*\\)\\s*\\}\\}", filter)) -%}
    {%- endfor -%}
    {{ return(paths | unique | list) }}
{%- endmacro %}

{% macro filter_entities(filters) -%}
    {%- set names = [] -%}
    {%- for filter in filters -%}
        {%- do names.extend(modules.re.findall("\\{\\{\\s*Entity\\(\\s*['\"]([^'\"]+)['\"]\\s*\\)\\s*\\}\\}", filter)) -%}
    {%- endfor -%}
    {{ return(names | unique | list) }}
{%- endmacro %}

{% macro model_of_entity(entity) -%}
    {%- for other in graph.semantic_models.values() if semantic_entity(other, ['primary', 'unique'], entity) -%}
        {{ return(dict(other, node=graph.nodes[other.depends_on.nodes[0]])) }}
    {%- endfor -%}
{%- endmacro %}


{#- A filter as SQL over the select of component_lines. -#}
{% macro filter_sql(name, part, filter) -%}
    {%- set written = namespace(sql=filter) -%}
    {%- for path in filter_dimensions([filter]) -%}
        {%- set found = semantic_dimension(name, part.model, path) -%}
        {%- set sql = found.sql if found.entity else 'facts.own_' ~ path.split('__')[1] -%}
        {%- set written.sql = modules.re.sub("\\{\\{\\s*Dimension\\(\\s*['\"]" ~ path ~ "['\"]\\s*\\)\\s*\\}\\}", sql, written.sql) -%}
    {%- endfor -%}
    {%- for entity in filter_entities([filter]) -%}
        {%- set written.sql = modules.re.sub("\\{\\{\\s*Entity\\(\\s*['\"]" ~ entity ~ "['\"]\\s*\\)\\s*\\}\\}", 'facts.key_' ~ entity, written.sql) -%}
    {%- endfor -%}
    {%- if '{{ '[:2] in written.sql -%}
        {%- do metric_error(name, 'has a filter that is made of more than Dimension and Entity: ' ~ filter) -%}
    {%- endif -%}
    {{ return('(' ~ written.sql ~ ')') }}
{%- endmacro %}


{#- The rows of a semantic model: metric_date, dimension_0 …, one value for each component, load_id. `days` is a
    condition on day, none for all of them. Components that are counted distinct come alone, with their filter as
    a where, so that an index on the key serves. -#}
{% macro component_lines(model, parts, dimensions, days=none, alone=false) -%}
    {%- set entities, own, keys = [], [], [] -%}
    {%- for path in dimensions -%}
        {%- set found = semantic_dimension(model.name, model.name, path) -%}
        {%- do (entities.append(found.entity) if found.entity else own.append(path.split('__')[1])) -%}
    {%- endfor -%}
    {%- for part in parts.values() -%}
        {%- for path in filter_dimensions(part.filters) -%}
            {%- set found = semantic_dimension(model.name, model.name, path) -%}
            {%- do (entities.append(found.entity) if found.entity else own.append(path.split('__')[1])) -%}
        {%- endfor -%}
        {%- do keys.extend(filter_entities(part.filters)) -%}
    {%- endfor -%}
    {%- set entities = entities | unique | list -%}
    {%- set time = (parts.values() | first).time -%}
    {%- set time = (model.dimensions | selectattr('name', 'equalto', time) | first).expr or time -%}
    select
        facts.metric_date,
        {%- for path in dimensions %}
        {%- set found = semantic_dimension(model.name, model.name, path) %}
        coalesce(cast({{ found.sql if found.entity else 'facts.own_' ~ path.split('__')[1] }} as {{ dbt.type_string() }}), 'unknown') as dimension_{{ loop.index0 }},
        {%- endfor %}
        {%- for id, part in parts.items() %}
        {%- set conditions = [] %}
        {%- for filter in part.filters %}{% do conditions.append(filter_sql(id, part, filter)) %}{% endfor %}
        {% if conditions and not alone -%}
        case when {{ conditions | join(' and ') }} then facts.value_{{ id }} end as {{ id }},
        {%- else -%}
        facts.value_{{ id }} as {{ id }},
        {%- endif %}
        {%- endfor %}
        facts.load_id
    from (
        select
            cast({{ time }} as date) as metric_date,
            {%- for name in own | unique %}
            {{ semantic_dimension(model.name, model.name, (semantic_entity(model, ['primary', 'unique']) or {'name': model.primary_entity}).name ~ '__' ~ name).sql }} as own_{{ name }},
            {%- endfor %}
            {%- for entity in (entities + keys) | unique %}
            {{ semantic_entity(model, ['foreign', 'primary', 'unique'], entity).expr }} as key_{{ entity }},
            {%- endfor %}
            {%- for id, part in parts.items() %}
            {{ part.expr }} as value_{{ id }},
            {%- endfor %}
            {{ 'load_id' if 'load_id' in model.node.columns else 'cast(null as ' ~ dbt.type_bigint() ~ ') as load_id' }}
        from {{ model.node.relation_name }}
        {%- if days %}
        where {{ days | replace('@day@', time) }}
        {%- endif %}
    ) as facts
    {%- for entity in entities %}
    {%- set other = model_of_entity(entity) %}
    left join {{ other.node.relation_name }} as {{ entity }}
        on facts.key_{{ entity }} = {{ entity }}.{{ semantic_entity(other, ['primary', 'unique']).expr }}
    {%- endfor %}
    {%- if alone %}
    {%- set id, part = (parts.items() | list)[0] %}
    where facts.value_{{ id }} is not null
    {%- for filter in part.filters %}
        and {{ filter_sql(id, part, filter) }}
    {%- endfor %}
    {%- endif %}
{%- endmacro %}


{#- Conditions on a day, which may be a timestamp. -#}
{% macro in_days(days) -%}
    {%- if not days -%}
        {{ return('1 = 0') }}
    {%- endif -%}
    {%- set after = (modules.datetime.date.fromisoformat(days[-1]) + modules.datetime.timedelta(days=1)) | string -%}
    {{ return("@day@ >= cast('" ~ days[0] ~ "' as date) and @day@ < cast('" ~ after ~ "' as date) and "
        ~ is_one_of_days('cast(@day@ as date)', days)) }}
{%- endmacro %}

{% macro in_ranges(ranges) -%}
    {%- set conditions = [] -%}
    {%- for first, last in ranges -%}
        {%- set after = last + modules.datetime.timedelta(days=1) -%}
        {%- do conditions.append("(@day@ >= cast('" ~ first ~ "' as date) and @day@ < cast('" ~ after ~ "' as date))") -%}
    {%- endfor -%}
    {{ return('(' ~ conditions | join(' or ') ~ ')' if conditions else '1 = 0') }}
{%- endmacro %}


{#- The first and the last day of the period that a date (of Python) lies in. -#}
{% macro period_start(grain, day) -%}
    {%- set year_month = var('fiscal_year_start_month') -%}
    {%- if grain == 'day' -%}
        {{ return(day) }}
    {%- elif grain == 'week' -%}
        {{ return(day - modules.datetime.timedelta(days=day.weekday())) }}
    {%- elif grain == 'month' -%}
        {{ return(day.replace(day=1)) }}
    {%- elif grain == 'quarter' -%}
        {{ return(day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1)) }}
    {%- endif -%}
    {{ return(day.replace(day=1, month=year_month, year=day.year - (1 if day.month < year_month else 0))) }}
{%- endmacro %}

{% macro period_end(grain, day) -%}
    {%- set start = period_start(grain, day) -%}
    {%- set length = {'day': 1, 'week': 7, 'month': 31, 'quarter': 92, 'fiscal_year': 366}[grain] -%}
    {%- set next = period_start(grain, start + modules.datetime.timedelta(days=length)) -%}
    {{ return(next - modules.datetime.timedelta(days=1)) }}
{%- endmacro %}


{#- The select of metrics_components. -#}
{% macro metric_components_sql(plan, work) -%}
    {%- set groups = [] -%}
    {%- for id, part in plan.components.items() -%}
        {%- set kind = 'distinct' if part.agg == 'count_distinct' else 'counted' -%}
        {%- set group = (part.model, part.time, id in work.full, kind, id if kind == 'distinct' else none) -%}
        {%- if group not in groups -%}{%- do groups.append(group) -%}{%- endif -%}
    {%- endfor -%}
    {%- set columns = 'component, dimension, dimension_value, metric_date, amount, week_amount, month_amount, quarter_amount, fiscal_year_amount, load_id' -%}
with
{%- for model_name, time, full, kind, alone in groups %}
{%- set number = loop.index %}
{%- set parts = {} %}
{%- for id, part in plan.components.items() if (part.model, part.time, id in work.full) == (model_name, time, full)
    and (id == alone or (kind == 'counted' and part.agg != 'count_distinct')) %}{% do parts.update({id: part}) %}{% endfor %}
{%- set dimensions = [] %}
{%- for part in parts.values() %}{% do dimensions.extend(part.dimensions) %}{% endfor %}
{%- set dimensions = dimensions | unique | sort %}
{%- set model = semantic_model(parts.keys() | first, model_name) %}
{%- if model.depends_on.nodes[0] not in this_depends_on() %}
    {%- do exceptions.raise_compiler_error('The semantic model ' ~ model.name ~ ' is that of ' ~ model.node.name
        ~ ': add this model to the variable metric_models in dbt_project.yml, so that it is built before the metrics.') %}
{%- endif %}
{%- set days = work.days.get(model_name) if not full %}

{% if kind == 'counted' -%}
cells_{{ number }} as (

    select
        metric_date,
        {%- for dimension in dimensions %}
        dimension_{{ loop.index0 }},
        {%- endfor %}
        {%- for id, part in parts.items() %}
        {{ part.agg }}({{ id }}) as {{ id }},
        {%- endfor %}
        max(load_id) as load_id
    from (
        {{ component_lines(model, parts, dimensions, in_days(days.counted) if days else none) | indent(8) }}
    ) as lines
    group by metric_date{% for dimension in dimensions %}, dimension_{{ loop.index0 }}{% endfor %}

),

sums_{{ number }} as (
{% for dimension in ['total'] + dimensions %}
    select
        '{{ dimension }}' as dimension,
        {{ "cast('total' as " ~ dbt.type_string() ~ ')' if loop.first else 'dimension_' ~ (loop.index0 - 1) }} as dimension_value,
        metric_date,
        {%- for id, part in parts.items() %}
        {{ part.agg if part.agg in ['min', 'max'] else 'sum' }}({{ id }}) as {{ id }},
        {%- endfor %}
        max(load_id) as load_id
    from cells_{{ number }}
    group by metric_date{{ ', dimension_' ~ (loop.index0 - 1) if not loop.first }}
    {% if not loop.last %}
    union all
    {% endif %}
{%- endfor %}
),

components_{{ number }} as (

    select
        names.component,
        names.dimension,
        sums.dimension_value,
        sums.metric_date,
        cast(
            case names.component
                {%- for id in parts %}
                when '{{ id }}' then sums.{{ id }}
                {%- endfor %}
            end
            as {{ exact_type() }}
        ) as amount,
        {%- for grain in grains() if grain != 'day' %}
        cast(null as {{ exact_type() }}) as {{ grain }}_amount,
        {%- endfor %}
        sums.load_id
    from sums_{{ number }} as sums
    inner join (
        {%- for id, part in parts.items() %}
        {%- for dimension in ['total'] + part.dimensions %}
        select '{{ id }}' as component, '{{ dimension }}' as dimension
        {{ 'union all' if not loop.last }}
        {%- endfor %}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as names
        on sums.dimension = names.dimension

),
{%- else %}
{%- set part = parts[alone] %}
{%- set names_day = part.names_day %}
{%- set key_columns = [] %}
{%- for dimension in dimensions %}{% do key_columns.append('dimension_' ~ loop.index0) %}{% endfor %}
{%- set all_columns = (['metric_date'] + key_columns + [alone]) | join(', ') %}
{%- set ranged = days and not names_day and days.distinct.ranges %}
{%- if ranged %}

ranges_{{ number }} as (
{% for first, last in days.distinct.ranges %}
    select
        {{ loop.index }} as range_number,
        cast('{{ first }}' as date) as first_day,
        cast('{{ last }}' as date) as last_day,
        cast('{{ days.distinct.before[loop.index0][0] }}' as date) as since
    {{ 'union all' if not loop.last }}
{%- endfor %}
),
{%- endif %}

keys_{{ number }} as (

    select
        {{ 'ranges.range_number,' if ranged }}
        {{ all_columns }},
        max(load_id) as load_id
    from (
        {{ component_lines(model, parts, dimensions, none if not days else in_days(days.counted) if names_day else in_ranges(days.distinct.ranges), alone=true) | indent(8) }}
    ) as lines
    {%- if ranged %}
    inner join ranges_{{ number }} as ranges
        on lines.metric_date between ranges.first_day and ranges.last_day
    {%- endif %}
    group by {{ 'ranges.range_number, ' if ranged }}{{ all_columns }}

),
{%- if ranged %}

-- When the same keys occurred last before a range, in the periods that it lies in.
history_{{ number }} as (

    select
        ranges.range_number,
        {{ (key_columns + [alone]) | join(', ') }},
        max(lines.metric_date) as metric_date
    from (
        {{ component_lines(model, parts, dimensions, in_ranges(days.distinct.before), alone=true) | indent(8) }}
    ) as lines
    inner join ranges_{{ number }} as ranges
        on lines.metric_date >= ranges.since
        and lines.metric_date < ranges.first_day
    where {{ alone }} in (select {{ alone }} from keys_{{ number }})
    group by ranges.range_number, {{ (key_columns + [alone]) | join(', ') }}

),

all_keys_{{ number }} as (

    select range_number, {{ all_columns }}, load_id, true as is_computed from keys_{{ number }}
    union all
    select range_number, {{ all_columns }}, null as load_id, false as is_computed from history_{{ number }}

),
{%- endif %}

components_{{ number }} as (
{% for dimension in ['total'] + dimensions %}
{%- set column = 'dimension_' ~ (loop.index0 - 1) if not loop.first else none %}
    select
        '{{ alone }}' as component,
        '{{ dimension }}' as dimension,
        {{ column or "cast('total' as " ~ dbt.type_string() ~ ')' }} as dimension_value,
        metric_date,
        cast(count(*) as {{ exact_type() }}) as amount,
        {%- for grain in grains() if grain != 'day' %}
        {%- if names_day %}
        cast(null as {{ exact_type() }}) as {{ grain }}_amount,
        {%- else %}
        cast(
            count(case when previous_date is null or previous_date < {{ period_of(grain, 'metric_date') }} then 1 end)
            as {{ exact_type() }}
        ) as {{ grain }}_amount,
        {%- endif %}
        {%- endfor %}
        max(load_id) as load_id
    from (
        select
            metric_date,
            {{ column ~ ',' if column }}
            max(load_id) as load_id,
            {{ 'bool_or(is_computed) as is_computed,' if ranged }}
            {%- set occurring = ('range_number, ' if ranged else '') ~ alone ~ (', ' ~ column if column else '') %}
            {{ 'cast(null as date)' if names_day else 'lag(metric_date) over (partition by ' ~ occurring ~ ' order by metric_date)' }} as previous_date
        from {{ 'all_keys_' if ranged else 'keys_' }}{{ number }}
        group by {{ occurring }}, metric_date
    ) as occurrences
    {{ 'where is_computed' if ranged }}
    group by metric_date{{ ', ' ~ column if column }}
    {% if not loop.last %}
    union all
    {% endif %}
{%- endfor %}
),
{%- endif %}
{%- endfor %}

marks as (
{% for id in work.full %}
    select '{{ id }}' as component
    {{ 'union all' if not loop.last }}
{%- else %}
    select '' as component where 1 = 0
{% endfor %}
),

metrics_components as (
{% for group in groups %}
    select {{ columns }}
    from components_{{ loop.index }}

    union all
{% endfor %}
    select
        component,
        'definition' as dimension,
        'definition' as dimension_value,
        {{ component_mark() }} as metric_date,
        {%- for column in ['amount', 'week_amount', 'month_amount', 'quarter_amount', 'fiscal_year_amount'] %}
        cast(null as {{ exact_type() }}) as {{ column }},
        {%- endfor %}
        cast(null as {{ dbt.type_bigint() }}) as load_id
    from marks

)

select * from metrics_components
{%- endmacro %}


{% macro this_depends_on() -%}
    {{ return(graph.nodes[model.unique_id].depends_on.nodes) }}
{%- endmacro %}


{#- A pre-hook of metrics_components: removes what the increment computes again. -#}
{% macro delete_component_days() -%}
    {%- if is_incremental() and execute -%}
        {%- set plan = metric_plan() -%}
        {%- set work = component_work(plan) -%}
        {%- set conditions = [] -%}
        {%- set gone = work.stale + work.full -%}
        {%- if gone -%}
            {%- do conditions.append("component in ('" ~ gone | join("', '") ~ "')") -%}
        {%- endif -%}
        {%- for model_name, days in work.days.items() -%}
            {%- for kind in ['counted', 'distinct'] -%}
                {%- set ids = [] -%}
                {%- for id, part in plan.components.items() if part.model == model_name and id not in work.full -%}
                    {%- if (kind == 'distinct') == (part.agg == 'count_distinct' and not part.names_day) -%}{%- do ids.append(id) -%}{%- endif -%}
                {%- endfor -%}
                {%- if ids and days.counted -%}
                    {%- set condition = in_days(days.counted) if kind == 'counted' else in_ranges(days.distinct.ranges) -%}
                    {%- do conditions.append("component in ('" ~ ids | join("', '") ~ "') and " ~ condition | replace('@day@', 'metric_date')) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if conditions -%}
        {{ delete_where('(' ~ conditions | join(') or (') ~ ')') }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
