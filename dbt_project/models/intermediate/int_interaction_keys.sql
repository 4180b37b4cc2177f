{{
    config(
        unique_key='interaction_id',
        indexes=[
            {'columns': ['interaction_id'], 'unique': true},
            {'columns': ['source_name', 'interaction_code'], 'unique': true},
            {'columns': ['load_id']},
        ],
    )
}}

{{ key_table('interaction', id='interaction_id', code='interaction_code', per_source=true) }}
