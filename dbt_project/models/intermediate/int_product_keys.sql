{{
    config(
        unique_key='product_id',
        indexes=[
            {'columns': ['product_id'], 'unique': true},
            {'columns': ['product_code'], 'unique': true},
            {'columns': ['load_id']},
        ],
    )
}}

{{ key_table('product', id='product_id', code='product_code') }}
