"""Writes docs/metrics.md from the semantic layer's YAML: each metric with grain, formula and an example.

Knows the YAML of metrics and nothing of dbt, so that a test can compare the page with it in no time.
"""

from collections.abc import Mapping
from typing import Any

from ingest import warehouse
from reports import metrics

PAGE = warehouse.ROOT / "docs" / "metrics.md"

HEAD = """\
# Metrics

This page is written from the YAML beside the models (`make docs`); change the YAML, not the page.

Every metric stands in `metrics.metrics_values` for each day, ISO week, month, quarter and fiscal year,
in all and by its dimensions. `metrics_comparisons` sets it beside the period before, the same weekday, a
year before and the year so far; `metrics_statistics`, `metrics_trends` and `metrics_anomalies` judge its
days, `metrics_drivers` the change of revenue.

**Add a metric** in the YAML beside its model, or in `dbt_project/models/metrics/metrics.yml` where it is
made of metrics of several models. After the next `analytics build` it is in `metrics_values`, with
nothing else to change:

```yaml
metrics:
  - name: web_margin_per_new_customer
    label: Gross margin of web sales per new customer
    description: Profit of the web channels' sales / new customers.
    type: ratio
    numerator:
      name: profit
      filter: "{{ Dimension('channel__channel_name') }} = 'Web shop'"
    denominator: new_customers
    config:
      meta: {unit: money}
```

`type` is simple (`agg`: sum, count, count_distinct, average, min, max, sum_boolean), ratio, derived or
cumulative (of a sum or count). A filter is SQL over `Dimension('entity__name')` and `Entity('name')`.
What a build cannot compute by day (a median, an offset, a conversion) stops it with the metric's name. A
model of your own with metrics is added to `metric_models` in `dbt_project.yml`. Under `config: meta:`

| key | what |
|---|---|
| `unit` | money, number, share or seconds: how readers show it |
| `by` | dimensions that it is kept by, such as `store__store_name` |
| `one_sided` | high or low: the only side on which a day is an anomaly |
| `minimum_volume` | an expected value below it is not judged |
| `watch` | of the dimensions in `by`, those whose days are judged too |

A sum or count with `join_to_timespine: true` is 0 where there are no rows.

A report shows it when its exposure names it: `metrics: [web_margin_per_new_customer]` in its `meta`
([reports](reports.md)).
"""


def render() -> str:
    """The page as Markdown."""
    found = metrics.known().values()
    lines = [HEAD, "## All metrics", "", "| metric | what | formula |", "|---|---|---|"]
    for metric in found:
        lines.append(
            f"| [`{metric.name}`](#{metric.name}) | {metric.label} | {_cell(_formula(metric.definition))} |"
        )
    for metric in found:
        dimensions = ", ".join(f"`{name}`" for name in metric.dimensions) or "in all only"
        by = f" --group-by metric_time__month{',' + metric.dimensions[0] if metric.dimensions else ''}"
        lines += [
            "",
            f"### {metric.name}",
            "",
            metric.description,
            "",
            f"- Formula: {_formula(metric.definition)}",
            f"- From: {f'`{metric.model}`' if metric.model else 'metrics of several models'}",
            "- Grain: day, week, month, quarter, fiscal year",
            f"- By: {dimensions}",
            f"- Unit: {metric.unit}",
            f"- Example: `mf query --metrics {metric.name}{by}`",
        ]
    return "\n".join(lines) + "\n"


def _formula(metric: Mapping[str, Any]) -> str:
    match metric["type"]:
        case "simple":
            text = f"`{metric['agg']}({metric.get('expr', metric['name'])})`"
        case "ratio":
            text = f"{_input(metric['numerator'])} / {_input(metric['denominator'])}"
        case "derived":
            names = [i for i in metric["input_metrics"] if isinstance(i, dict) and i.get("alias")]
            where = ", ".join(f"`{i['alias']}` being {_input(i)}" for i in names)
            text = f"`{metric['expr']}`" + (f", {where}" if where else "")
        case "cumulative":
            span = f"over {metric['window']}" if metric.get("window") else "over all days so far"
            if metric.get("grain_to_date"):
                span = f"from the beginning of the {metric['grain_to_date']}"
            text = f"{_input(metric['input_metric'])} {span}"
        case kind:
            text = str(kind)
    return text + (f" where `{metric['filter']}`" if metric.get("filter") else "")


def _input(metric: str | Mapping[str, Any]) -> str:
    if isinstance(metric, str):
        return f"[`{metric}`](#{metric})"
    where = f" where `{metric['filter']}`" if metric.get("filter") else ""
    return f"[`{metric['name']}`](#{metric['name']}){where}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render())
