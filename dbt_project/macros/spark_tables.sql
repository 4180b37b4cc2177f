{#- How tables are written on Spark, whose Parquet files know no transaction, no update and no key.

    An incremental model lies in coarse partitions, by a column `partition_key` that follows from its unique key. So
    a row that is corrected or deleted lies where its key says, and an increment writes anew the partitions of its
    keys and no others. -#}

{#- A row's partition. By the last date in its key: the month, or the year where the date is the whole key (days
    would make too many files); else by the number in its key: a million ids, or a thousand loads; else all rows are
    in one. `columns` are those of the model. -#}
{% macro spark_partition(columns, key) -%}
    {%- set found = namespace(date=none, number=none) -%}
    {%- for column in columns if column.name in key -%}
        {%- if column.dtype == 'date' -%}
            {%- set found.date = column.name -%}
        {%- elif column.dtype in ('int', 'bigint') -%}
            {%- set found.number = column.name -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if found.date -%}
        cast(date_format({{ found.date }}, '{{ 'yyyy' if key | length == 1 else 'yyyyMM' }}') as int)
    {%- elif found.number -%}
        cast(floor({{ found.number }} / {{ 1000 if found.number == 'load_id' else 1000000 }}) as int)
    {%- else -%}
        0
    {%- endif -%}
{%- endmacro %}


{#- The columns by which an incremental model's rows are known: the unique key, or where an increment appends the
    primary key of the contract. -#}
{% macro spark_key() -%}
    {%- set key = [] -%}
    {%- if config.get('unique_key') -%}
        {%- do key.extend([config.get('unique_key')] if config.get('unique_key') is string else config.get('unique_key')) -%}
    {%- else -%}
        {%- for constraint in model.constraints if constraint.type == 'primary_key' -%}
            {%- do key.extend(constraint.columns) -%}
        {%- endfor -%}
        {%- for column in model.columns.values() if column.constraints | selectattr('type', 'equalto', 'primary_key') | list -%}
            {%- do key.append(column.name) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(key) }}
{%- endmacro %}


{#- In place of dbt-spark's, whose insert_overwrite expects whole partitions of a model: here a model gives the rows
    that it computed anew, as it does on Postgres, and the others of their partitions stay. -#}
{% materialization incremental, adapter='spark' -%}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set existing = load_relation(this) -%}
    {%- set columns = get_column_schema_from_query(compiled_code) -%}

    {{ run_hooks(pre_hooks) }}

    {%- set rows = compiled_code -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(rows) }}
        {%- set rows = get_select_subquery(rows) -%}
    {%- endif -%}
    {%- set partitioned -%}
        select
            model.*,
            {{ spark_partition(columns, spark_key()) }} as partition_key
        from (
            {{ rows }}
        ) as model
    {%- endset -%}

    {%- if existing is none or existing.is_view or should_full_refresh() -%}
        {%- if existing is not none -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
        {%- call statement('main') -%}
            create table {{ relation }}
            using parquet
            partitioned by (partition_key)
            {{ comment_clause() }}
            as
            select /*+ rebalance(partition_key) */ *
            from (
                {{ partitioned }}
            ) as partitioned
        {%- endcall -%}
        {#- A partitioned table without rows has no file. Who reads without Spark finds its columns here. -#}
        {%- do run_query(
            "insert overwrite directory '${spark.analytics.lake}/columns/" ~ this.schema ~ '/' ~ this.identifier
            ~ "' using parquet select * from " ~ this ~ ' limit 0'
        ) -%}
    {%- else -%}
        {%- set incoming = this.incorporate(type='table', path={'identifier': this.identifier ~ '__incoming'}) -%}
        {%- do adapter.drop_relation(incoming) -%}
        {%- call statement('main') -%}
            create table {{ incoming }} using parquet as
            {{ partitioned }}
        {%- endcall -%}
        {%- do process_schema_changes(config.get('on_schema_change'), incoming, relation) -%}
        {%- set partitions = spark_partitions(incoming) -%}
        {%- if config.get('unique_key') -%}
            {%- set same = [] -%}
            {%- for column in spark_key() -%}
                {%- do same.append('incoming.' ~ column ~ ' = kept.' ~ column) -%}
            {%- endfor -%}
            {%- do spark_keep(
                'not exists (select 1 from ' ~ incoming ~ ' as incoming where ' ~ same | join(' and ') ~ ')',
                partitions,
                incoming
            ) -%}
        {%- else -%}
            {%- do spark_keep('true', partitions, incoming) -%}
        {%- endif -%}
        {%- do adapter.drop_relation(incoming) -%}
        {%- if partitions or pre_hooks -%}{%- do spark_mark(whole=true) -%}{%- endif -%}
    {%- endif -%}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [relation]}) }}
{%- endmaterialization %}


{#- What only people read is a table, since they read the lake's files without Spark (ingest/lake_sql.py). What models
    read stays a view. -#}
{% materialization view, adapter='spark' -%}
    {%- set readers = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and model.unique_id in node.depends_on.nodes -%}
        {%- do readers.append(node.name) -%}
    {%- endfor -%}
    {%- if readers or model.access != 'public' -%}
        {{ return(create_or_replace_view()) }}
    {%- endif -%}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set existing = load_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is not none -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
    {%- call statement('main') -%}
        {{ create_table_as(false, relation, compiled_code) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [relation]}) }}
{%- endmaterialization %}


{% macro spark_partitions(relation, condition='true') -%}
    {%- set found = run_query('select distinct partition_key from ' ~ relation ~ ' where ' ~ condition) -%}
    {{ return(found.columns[0].values() | map('int') | list) }}
{%- endmacro %}


{#- Write some partitions of this model anew: of their rows, known as `kept`, those of which the condition is true, and
    the rows of the relation `incoming`. -#}
{% macro spark_keep(condition, partitions, incoming=none) -%}
    {%- if partitions -%}
        {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='name') | join(', ') -%}
        {%- set kept -%}
            select {{ columns }}
            from {{ this }} as kept
            where partition_key in ({{ partitions | join(', ') }})
                and {{ condition }}
        {%- endset -%}
        {%- do spark_mark(whole=false) -%}
        {#- A partition that no row is written to stays as it is: where nothing comes, what loses all rows is dropped. -#}
        {%- set filled = partitions if incoming else spark_partitions('(' ~ kept ~ ')') -%}
        {%- if filled -%}
            {%- set overwrite -%}
                insert overwrite table {{ this }} partition (partition_key)
                select /*+ rebalance(partition_key) */ *
                from (
                    {{ kept }}
                    {%- if incoming %}
                    union all
                    select {{ columns }}
                    from {{ incoming }}
                    {%- endif %}
                ) as written
            {%- endset -%}
            {%- do run_query(overwrite) -%}
        {%- endif -%}
        {%- for partition in partitions if partition not in filled -%}
            {%- do run_query('alter table ' ~ this ~ ' drop if exists partition (partition_key = ' ~ partition ~ ')') -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{#- Whether this model is whole. A run that is killed may leave some partitions old and others new; open_landing drops
    what it finds so. -#}
{% macro spark_mark(whole) -%}
    {%- do run_query('alter table ' ~ this ~ " set tblproperties ('incomplete' = '" ~ ('false' if whole else 'true') ~ "')") -%}
{%- endmacro %}


{#- Contracts. Spark has other names for some types, and does not enforce not_null on Parquet: so the select does,
    as it is written. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        cast(null as {{ spark_type(column['data_type']) }}) as {{ column['name'] }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro spark_type(data_type) -%}
    {%- set name = data_type | lower -%}
    {%- if name == 'text' or name.startswith('varchar') -%}
        string
    {%- elif name == 'double precision' -%}
        double
    {%- else -%}
        {{ name }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__get_select_subquery(sql) %}
    select
    {%- for column in model['columns'].values() %}
        {%- set required = column['constraints'] | selectattr('type', 'in', ['not_null', 'primary_key']) | list %}
        {%- if required %}
        coalesce({{ column['name'] }}, raise_error('{{ this }}: {{ column['name'] }} is null')) as {{ column['name'] }}
        {%- else %}
        {{ column['name'] }}
        {%- endif -%}
        {{ ',' if not loop.last }}
    {%- endfor %}
    from (
        {{ sql }}
    ) as model
{%- endmacro %}

{#- There is nothing to alter after a table is written. -#}
{% macro spark__persist_constraints(relation, model) -%}
{%- endmacro %}
