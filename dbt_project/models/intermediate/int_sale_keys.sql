{{
    config(
        unique_key='sale_id',
        indexes=[
            {'columns': ['sale_id'], 'unique': true},
            {'columns': ['source_name', 'sale_code'], 'unique': true},
            {'columns': ['load_id']},
        ],
    )
}}

{{ key_table('sale', id='sale_id', code='sale_code', per_source=true) }}
