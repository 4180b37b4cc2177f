{{
    config(
        unique_key='supplier_id',
        indexes=[
            {'columns': ['supplier_id'], 'unique': true},
            {'columns': ['supplier_code'], 'unique': true},
            {'columns': ['load_id']},
        ],
    )
}}

{{ key_table('supplier', id='supplier_id', code='supplier_code') }}
