{{
    config(
        unique_key='store_id',
        indexes=[
            {'columns': ['store_id'], 'unique': true},
            {'columns': ['store_code'], 'unique': true},
            {'columns': ['load_id']},
        ],
    )
}}

{{ key_table('store', id='store_id', code='store_code') }}
