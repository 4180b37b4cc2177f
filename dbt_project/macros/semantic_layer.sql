{#- Reads the semantic layer: which parts the metrics are made of, and how. The parts ("components") are aggregates
    of one semantic model by day; a metric is an expression over them. What cannot be expressed stops the build with
    the metric's name. -#}

{#- All metrics as a plan: `components`, id → {model, agg, expr, filters, dimensions, fill, names_day}, and `metrics`,
    name → {expression or cumulative, components, dimensions, definition}. An id is a fingerprint of what it means, so
    that a changed definition is a new component. A count of keys that name the day (`names_day`) adds up over days. -#}
{% macro metric_plan() -%}
    {%- set plan = {'components': {}, 'metrics': {}} -%}
    {%- if not execute -%}
        {{ return(plan) }}
    {%- endif -%}
    {%- set drafts = {} -%}
    {%- for unique_id, metric in graph.metrics | dictsort if metric.config.enabled -%}
        {%- do drafts.update({metric.name: metric_draft(metric)}) -%}
    {%- endfor -%}

    {#- A component is kept by every dimension that one of its metrics asks for. -#}
    {%- set dimensions_of = {} -%}
    {%- for name, draft in drafts.items() -%}
        {%- for key, part in draft.parts.items() -%}
            {%- do dimensions_of.setdefault(key, []).extend(draft.dimensions) -%}
            {%- for dimension in draft.dimensions -%}
                {%- set found = semantic_dimension(name, part.model, dimension) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set ids = {} -%}
    {%- for name, draft in drafts.items() -%}
        {%- for key, part in draft.parts.items() if key not in ids -%}
            {%- set dimensions = dimensions_of[key] | unique | sort -%}
            {%- set id = 'c' ~ local_md5(key ~ tojson(dimensions))[:12] -%}
            {%- do ids.update({key: id}) -%}
            {%- do plan.components.update({id: dict(
                part,
                dimensions=dimensions,
                names_day=modules.re.search('\\b' ~ part.time ~ '\\b', part.expr) is not none,
            )}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for name, draft in drafts.items() -%}
        {%- set written = namespace(expression=draft.expression) -%}
        {%- for key in draft.parts -%}
            {%- set written.expression = written.expression | replace('@' ~ local_md5(key) ~ '@', ids[key]) -%}
        {%- endfor -%}
        {%- set components = [] -%}
        {%- for key in draft.parts -%}{%- do components.append(ids[key]) -%}{%- endfor -%}
        {%- do plan.metrics.update({name: {
            'expression': written.expression,
            'cumulative': draft.cumulative,
            'components': components,
            'dimensions': draft.dimensions,
            'definition': local_md5(written.expression ~ tojson([draft.cumulative, components, draft.dimensions | sort]))[:12],
        }}) -%}
    {%- endfor -%}
    {{ return(plan) }}
{%- endmacro %}


{#- A metric with its parts not yet numbered: {expression, cumulative, parts, dimensions}. -#}
{% macro metric_draft(metric) -%}
    {%- set parts = {} -%}
    {%- set cumulative = none -%}
    {%- if metric.type == 'cumulative' -%}
        {%- set settings = metric.type_params.cumulative_type_params -%}
        {%- set input = settings.metric -%}
        {%- set simple = semantic_metric(metric.name, input.name) -%}
        {%- if simple.type != 'simple' or simple.type_params.metric_aggregation_params.agg not in ['sum', 'count', 'sum_boolean'] -%}
            {%- do metric_error(metric.name, 'accumulates ' ~ input.name ~ ', which is no sum or count') -%}
        {%- endif -%}
        {%- set grain = settings.grain_to_date and (settings.grain_to_date.value or settings.grain_to_date) -%}
        {%- set window = settings.window -%}
        {%- if window and (window.granularity.value or window.granularity) not in ['day', 'days', 'week', 'weeks'] -%}
            {%- do metric_error(metric.name, 'has a window that is not counted in days or weeks') -%}
        {%- endif -%}
        {%- set cumulative = {
            'grain': grain or none,
            'days': (window.count * (7 if 'week' in (window.granularity.value or window.granularity) else 1)) if window else none,
            'period_agg': settings.period_agg.value or settings.period_agg or 'first',
        } -%}
        {%- set filters = where_texts(input.filter) + where_texts(metric.filter) -%}
        {%- set expression = metric_expression(metric.name, simple, filters, parts, []) -%}
    {%- else -%}
        {%- set expression = metric_expression(metric.name, metric, [], parts, []) -%}
    {%- endif -%}
    {{ return({
        'expression': expression,
        'cumulative': cumulative,
        'parts': parts,
        'dimensions': metric.config.meta.get('by', []) | list,
    }) }}
{%- endmacro %}


{#- A metric as SQL over @…@, the places of its parts; the parts are added to `parts`. `filters` are those of the
    metrics around it, `path` their names. -#}
{% macro metric_expression(name, metric, filters, parts, path) -%}
    {%- if metric.name in path -%}
        {%- do metric_error(name, 'is made of itself') -%}
    {%- endif -%}
    {%- set path = path + [metric.name] -%}
    {%- set params = metric.type_params -%}
    {%- if metric.type == 'simple' -%}
        {%- set filters = (filters + where_texts(metric.filter)) | unique | list -%}
        {{ return(simple_expression(name, metric, filters, parts)) }}
    {%- elif metric.type == 'ratio' -%}
        {%- set filters = filters + where_texts(metric.filter) -%}
        {%- set numerator = input_expression(name, params.numerator, filters, parts, path) -%}
        {%- set denominator = input_expression(name, params.denominator, filters, parts, path) -%}
        {{ return('(' ~ numerator ~ ' / nullif(' ~ denominator ~ ', 0))') }}
    {%- elif metric.type == 'derived' -%}
        {%- set filters = filters + where_texts(metric.filter) -%}
        {%- set inputs = {} -%}
        {%- for input in params.metrics -%}
            {%- do inputs.update({input.alias or input.name: input_expression(name, input, filters, parts, path)}) -%}
        {%- endfor -%}
        {%- set written = namespace(sql=params.expr) -%}
        {#- Divided by 0 a metric has no value. -#}
        {%- for alias in inputs -%}
            {%- set written.sql = modules.re.sub('/\\s*' ~ alias ~ '\\b', '/ nullif(' ~ alias ~ ', 0)', written.sql) -%}
        {%- endfor -%}
        {%- for alias in inputs -%}
            {%- set written.sql = modules.re.sub('\\b' ~ alias ~ '\\b', '#' ~ loop.index ~ '#', written.sql) -%}
        {%- endfor -%}
        {%- for sql in inputs.values() -%}
            {%- set written.sql = written.sql | replace('#' ~ loop.index ~ '#', sql) -%}
        {%- endfor -%}
        {{ return('(' ~ written.sql ~ ')') }}
    {%- endif -%}
    {%- do metric_error(name, 'needs a ' ~ metric.type ~ ' metric (' ~ metric.name ~ '), which cannot stand inside another metric') -%}
{%- endmacro %}


{% macro input_expression(name, input, filters, parts, path) -%}
    {%- if input.offset_window or input.offset_to_grain -%}
        {%- do metric_error(name, 'compares with an offset; metrics_comparisons has the period before of every metric') -%}
    {%- endif -%}
    {%- set metric = semantic_metric(name, input.name) -%}
    {{ return(metric_expression(name, metric, filters + where_texts(input.filter), parts, path)) }}
{%- endmacro %}


{% macro simple_expression(name, metric, filters, parts) -%}
    {%- set aggregation = metric.type_params.metric_aggregation_params -%}
    {%- if not aggregation -%}
        {%- do metric_error(name, 'is made of a measure; give the metric agg and expr instead') -%}
    {%- elif aggregation.non_additive_dimension -%}
        {%- do metric_error(name, 'has a non_additive_dimension') -%}
    {%- endif -%}
    {%- set agg = aggregation.agg.value or aggregation.agg -%}
    {%- set expr = metric.type_params.expr or metric.name -%}
    {%- set time = aggregation.agg_time_dimension -%}
    {#- dbt 1.12 drops fill_nulls_with of a metric in the new form: a sum or count that joins to the time spine is 0
        where there are no rows. -#}
    {%- set fill = metric.type_params.fill_nulls_with -%}
    {%- if fill is none and metric.type_params.join_to_timespine and agg in ['sum', 'sum_boolean', 'count', 'count_distinct'] -%}
        {%- set fill = 0 -%}
    {%- endif -%}
    {%- if agg not in ['sum', 'count', 'count_distinct', 'average', 'min', 'max', 'sum_boolean'] -%}
        {%- do metric_error(name, 'has the aggregation ' ~ agg ~ ', which cannot be kept by day') -%}
    {%- endif -%}
    {%- set base = {'model': aggregation.semantic_model, 'time': time, 'filters': filters} -%}
    {%- if agg == 'average' -%}
        {%- set sum = component(parts, dict(base, agg='sum', expr=expr, fill=none)) -%}
        {%- set count = component(parts, dict(base, agg='count', expr=expr, fill=none)) -%}
        {{ return('(' ~ sum ~ ' / nullif(' ~ count ~ ', 0))') }}
    {%- elif agg == 'sum_boolean' -%}
        {{ return(component(parts, dict(base, agg='sum', expr='case when ' ~ expr ~ ' then 1 else 0 end', fill=fill))) }}
    {%- endif -%}
    {{ return(component(parts, dict(base, agg=agg, expr=expr, fill=fill))) }}
{%- endmacro %}


{% macro component(parts, part) -%}
    {%- set key = tojson(part, sort_keys=true) -%}
    {%- do parts.update({key: part}) -%}
    {{ return('@' ~ local_md5(key) ~ '@') }}
{%- endmacro %}


{#- The texts of a where filter; none where there is no filter. -#}
{% macro where_texts(filter) -%}
    {%- set texts = [] -%}
    {%- for where in (filter.where_filters if filter else []) -%}
        {%- do texts.append(where.where_sql_template | trim) -%}
    {%- endfor -%}
    {{ return(texts) }}
{%- endmacro %}


{% macro semantic_metric(name, wanted) -%}
    {%- for metric in graph.metrics.values() if metric.name == wanted -%}
        {{ return(metric) }}
    {%- endfor -%}
    {%- do metric_error(name, 'names the metric ' ~ wanted ~ ', which there is not') -%}
{%- endmacro %}


{% macro semantic_model(name, wanted) -%}
    {%- for model in graph.semantic_models.values() if model.name == wanted -%}
        {%- set node = graph.nodes[model.depends_on.nodes[0]] -%}
        {{ return(dict(model, node=node)) }}
    {%- endfor -%}
    {%- do metric_error(name, 'names the semantic model ' ~ wanted ~ ', which there is not') -%}
{%- endmacro %}


{#- The entity of a semantic model whose type is among the given ones, by its name; none where there is none. -#}
{% macro semantic_entity(model, types, entity=none) -%}
    {%- for candidate in model.entities if (candidate.type.value or candidate.type) in types and entity in [none, candidate.name] -%}
        {{ return(candidate) }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}


{#- Where entity__dimension is to be found from a semantic model: {sql, entity}, the entity being that of the model to
    join, none for a dimension of the model's own. -#}
{% macro semantic_dimension(name, model_name, path) -%}
    {%- set model = semantic_model(name, model_name) -%}
    {%- if path.split('__') | length != 2 -%}
        {%- do metric_error(name, "names the dimension '" ~ path ~ "'; write entity__dimension") -%}
    {%- endif -%}
    {%- set entity, dimension = path.split('__') -%}
    {%- set primary = semantic_entity(model, ['primary', 'unique']) -%}
    {%- if entity == (primary.name if primary else model.primary_entity) -%}
        {%- for own in model.dimensions if own.name == dimension -%}
            {{ return({'sql': own.expr or own.name, 'entity': none}) }}
        {%- endfor -%}
    {%- elif semantic_entity(model, ['foreign'], entity) -%}
        {%- for other in graph.semantic_models.values() if semantic_entity(other, ['primary', 'unique'], entity) and other.name != model.name -%}
            {%- for there in other.dimensions if there.name == dimension -%}
                {{ return({'sql': entity ~ '.' ~ (there.expr or there.name), 'entity': entity}) }}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do metric_error(name, "names the dimension '" ~ path ~ "', which " ~ model.name ~ ' does not reach by one of its entities') -%}
{%- endmacro %}


{#- Stops the build. Models ask for the whole plan, so that no metric is left out in silence. -#}
{% macro metric_error(name, problem) -%}
    {%- do exceptions.raise_compiler_error('The metric ' ~ name ~ ' ' ~ problem ~ '.') -%}
{%- endmacro %}
