{{
    config(
        unique_key='channel_id',
        indexes=[
            {'columns': ['channel_id'], 'unique': true},
            {'columns': ['channel_code'], 'unique': true},
            {'columns': ['load_id']},
        ],
    )
}}

{{ key_table('channel', id='channel_id', code='channel_code') }}
