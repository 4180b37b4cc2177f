{#- How a day is judged: the SQL of metrics_anomalies, over any relation of daily values, so that the calibration
    (make bench BENCH=calibration) measures this very code. -#}

{#- The settings, found by the calibration: the weeks of the same weekday that say what to expect; the days whose
    deviations say how far is usual; how many usual deviations make an anomaly (score) and, on five of seven days on
    one side, a step (step_score); the days in which a step is not told again. -#}
{% macro anomaly_settings() -%}
    {{ return({
        'weeks': 13,
        'least_weeks': 6,
        'days': 91,
        'least_days': 28,
        'score': 2.75,
        'step_score': 1.3,
        'quiet_days': 60,
        'least_scale': 0.005,
    }) }}
{%- endmacro %}


{#- The judged days of `series`, a relation with series, day, value, minimum_volume, one_sided (high, low or null), from
    the day `since` on (none: all): expected, lower, upper, score, verdict, and the relation's further `columns`.
    `holidays` is a relation of date_day, which are neither judged nor compared with. -#}
{% macro judged_days(series, holidays, since=none, columns=[]) -%}
{%- set settings = anomaly_settings() -%}
{%- set double = double_type() -%}
{%- set columns = ['series', 'day', 'value', 'minimum_volume', 'one_sided'] + columns -%}
{#- The days that a day since then needs before it: a step told before with the weeks round it, the spreads by which these
    were scored, the week before each, and what was expected then. All frames count days and not rows: a series has no row
    for a day without a value. -#}
{%- set scored_days = settings.quiet_days + 14 -%}
{%- set history = scored_days + settings.days + 7 + 7 * settings.weeks -%}
with

observed as (

    select
        series.*,
        holidays.date_day is not null as is_holiday,
        {{ dbt.datediff("cast('2000-01-01' as date)", 'series.day', 'day') }} as day_number,
        {{ dbt.datediff(dbt.date_trunc('week', 'series.day'), 'series.day', 'day') }} as weekday
    from {{ series }} as series
    left join {{ holidays }} as holidays
        on series.day = holidays.date_day
    {%- if since %}
    where series.day >= {{ dbt.dateadd('day', -history, since) }}
    {%- endif %}

),

-- What the same weekday says: the median of the weeks before.
expected_days as (

    {{
        with_rolling_median(
            'observed',
            columns=columns + ['is_holiday', 'day_number'],
            keys=['series', 'weekday'],
            day='day',
            days=7 * settings.weeks,
            value='case when not observed.is_holiday then observed.value end',
            median='expected',
            observations='weeks',
        )
    }}

),

deviations as (

    select
        *,
        case
            when not is_holiday and weeks >= {{ settings.least_weeks }}
                then (value - expected) / nullif(abs(expected), 0)
        end as deviation
    from expected_days

),

-- How far from its level of the week before a deviation is: a lasting step counts once, and a trend hardly.
spreads as (

    select
        *,
        abs(
            deviation - avg(deviation) over (
                partition by series order by day_number range between 7 preceding and 1 preceding
            )
        ) / sqrt(cast(8 as {{ double }}) / 7) as spread
    from deviations

),

scales as (

    {{
        with_rolling_median(
            'spreads',
            columns=columns + ['is_holiday', 'day_number', 'expected', 'deviation'],
            keys=['series'],
            day='day',
            days=settings.days,
            value='spreads.spread',
            median='median_spread',
            observations='spread_days',
        )
    }}

),

scored as (

    select
        *,
        case
            when spread_days < {{ settings.least_days }} then null
            when 1.4826 * median_spread < {{ settings.least_scale }} then {{ settings.least_scale }}
            else 1.4826 * median_spread
        end as scale
    from scales
    {%- if since %}
    where day >= {{ dbt.dateadd('day', -scored_days, since) }}
    {%- endif %}

),

leanings as (

    select
        *,
        count(case when deviation / scale < -{{ settings.step_score }} then 1 end) over last_week as days_low,
        count(case when deviation / scale > {{ settings.step_score }} then 1 end) over last_week as days_high,
        avg(deviation) over week_before as recent_deviation,
        count(case when deviation / scale < -{{ settings.step_score }} then 1 end) over week_before as days_low_before,
        count(case when deviation / scale > {{ settings.step_score }} then 1 end) over week_before as days_high_before
    from scored
    window
        last_week as (partition by series order by day_number range between 6 preceding and current row),
        week_before as (partition by series order by day_number range between 7 preceding and 1 preceding)

),

shifts as (

    select
        *,
        case when days_low >= 5 then -1 when days_high >= 5 then 1 else 0 end as shift,
        -- Where the level has just moved, a day is judged by its new level.
        case when days_low_before >= 5 or days_high_before >= 5 then recent_deviation else 0 end as level
    from leanings

),

steps as (

    select
        *,
        case
            when shift < 0 and coalesce(min(shift) over quiet, 0) >= 0 then -1
            when shift > 0 and coalesce(max(shift) over quiet, 0) <= 0 then 1
            else 0
        end as step
    from shifts
    window quiet as (partition by series order by day_number range between {{ settings.quiet_days }} preceding and 1 preceding)

),

banded as (

    select
        {{ columns | join(',\n        ') }},
        is_holiday,
        step,
        expected + level * abs(expected) as expected,
        scale * abs(expected) as usual_deviation,
        (deviation - level) / scale as score
    from steps

),

judged_days as (

    select
        {{ columns | join(',\n        ') }},
        expected,
        case when one_sided = 'high' then null else expected - {{ settings.score }} * usual_deviation end as lower,
        case when one_sided = 'low' then null else expected + {{ settings.score }} * usual_deviation end as upper,
        score,
        case
            when is_holiday then 'holiday'
            when score is null then 'too little data'
            when abs(expected) < minimum_volume then 'too little volume'
            when step < 0 and coalesce(one_sided, 'low') = 'low' then 'step down'
            when step > 0 and coalesce(one_sided, 'high') = 'high' then 'step up'
            when score < -{{ settings.score }} and coalesce(one_sided, 'low') = 'low' then 'low'
            when score > {{ settings.score }} and coalesce(one_sided, 'high') = 'high' then 'high'
            else 'ordinary'
        end as verdict
    from banded
    {%- if since %}
    where day >= {{ since }}
    {%- endif %}

)

select * from judged_days
{%- endmacro %}


{#- As values_work, of the metrics that are judged. -#}
{% macro judged_work(plan) -%}
    {%- set metrics = {} -%}
    {%- for name, metric in plan.metrics.items() if not metric.cumulative -%}
        {%- do metrics.update({name: metric}) -%}
    {%- endfor -%}
    {{ return(values_work(dict(plan, metrics=metrics), day='metric_date', daily='true', longest='true')) }}
{%- endmacro %}


{#- A pre-hook of metrics_anomalies: a day is judged by those before it, so all from the first touched one are anew. -#}
{% macro delete_judged_days() -%}
    {%- if is_incremental() and execute -%}
        {%- set days = judged_work(metric_plan()) -%}
        {%- if days is none -%}
        {{ delete_where('1 = 1') }}
        {%- elif days -%}
        {{ delete_where("metric_date >= cast('" ~ days[0] ~ "' as date)") }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
