"""Running `dbt_project/` (staging → marts → metrics) in this process. Knows dbt and nothing of Dagster."""
