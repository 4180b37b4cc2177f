{{
    config(
        unique_key='customer_id',
        indexes=[
            {'columns': ['customer_id'], 'unique': true},
            {'columns': ['customer_code'], 'unique': true},
            {'columns': ['load_id']},
        ],
    )
}}

{{ key_table('customer', id='customer_id', code='customer_code') }}
