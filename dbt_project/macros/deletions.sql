{#- Rows that an increment removes before it adds any. -#}

{#- A pre-hook of an incremental fact: removes the rows whose newest version, landed since the fact's watermark,
    says that they are deleted. delete+insert alone only replaces rows. The surrogate key stays given, so that a
    row that comes back comes back under it. -#}
{% macro delete_tombstones(landed, keys, id, code) -%}
    {%- if is_incremental() -%}
    {%- set gone -%}
        select keys.{{ id }}
        from {{ landed }} as landed
        inner join {{ keys }} as keys
            on landed.source_name = keys.source_name
            and landed.{{ code }} = keys.{{ code }}
        where landed.is_deleted
            and landed.load_id > {{ watermark() }}
    {%- endset -%}
    {{ delete_keys(id, gone) }}
    {%- endif -%}
{%- endmacro %}


{#- Delete the rows of this model whose key `id` is one of those that the select `ids` returns. -#}
{% macro delete_keys(id, ids) -%}
    {{ return(adapter.dispatch('delete_keys')(id, ids)) }}
{%- endmacro %}

{% macro default__delete_keys(id, ids) -%}
    delete from {{ this }}
    where {{ id }} in (
        {{ ids }}
    )
{%- endmacro %}

{% macro spark__delete_keys(id, ids) -%}
    {%- if execute -%}
        {%- set gone = this.incorporate(type='table', path={'identifier': this.identifier ~ '__gone'}) -%}
        {%- set partition = spark_partition(adapter.get_columns_in_relation(this), [id]) -%}
        {%- do adapter.drop_relation(gone) -%}
        {%- do run_query(
            'create table ' ~ gone ~ ' using parquet as select *, ' ~ partition ~ ' as partition_key from (' ~ ids ~ ')'
        ) -%}
        {%- do spark_keep(
            'not exists (select 1 from ' ~ gone ~ ' as gone where gone.' ~ id ~ ' = kept.' ~ id ~ ')',
            spark_partitions(gone)
        ) -%}
        {%- do adapter.drop_relation(gone) -%}
    {%- endif -%}
{%- endmacro %}


{#- Delete the rows of this model of which a condition is true. -#}
{% macro delete_where(condition) -%}
    {{ return(adapter.dispatch('delete_where')(condition)) }}
{%- endmacro %}

{% macro default__delete_where(condition) -%}
    delete from {{ this }}
    where {{ condition }}
{%- endmacro %}

{% macro spark__delete_where(condition) -%}
    {%- if execute -%}
        {%- do spark_keep('case when ' ~ condition ~ ' then false else true end', spark_partitions(this, condition)) -%}
    {%- endif -%}
{%- endmacro %}
