"""Writes the macro of public holidays, dbt_project/macros/holidays.sql: ``make holidays``.

The days come from the package holidays; only days off of the whole country are in (for GB those of England,
where Easter Monday and the August bank holiday are not nation-wide). dbt has no Python, so the macro is
committed; a seed of as many rows would cost every build two seconds.
"""

from pathlib import Path

import holidays

MACRO = Path(__file__).with_name("holidays.sql")
LANGUAGES = {
    "AT": "en_US",
    "BE": "en_US",
    "DE": "en_US",
    "ES": "en_US",
    "FR": "en_US",
    "GB": "en_GB",
    "IE": "en_IE",
    "IT": "en_US",
    "NL": "en_US",
    "US": "en_US",
}
REGIONS = {"GB": "ENG"}
YEARS = range(2010, 2036)

TEMPLATE = """{#- Public holidays, written by make_holidays.py: not for editing. -#}

{#- The holidays of a country (ISO 3166) as a list of [day, name]. -#}
{% macro holidays_of(country) -%}
    {%- set holidays = {} -%}
%(countries)s
    {%- if country not in holidays -%}
        {{ exceptions.raise_compiler_error(
            'no holidays are known of the country in the var holiday_country, ' ~ country ~ '; known are '
            ~ (holidays | list | join(', ')) ~ '. More are added in dbt_project/macros/make_holidays.py'
        ) }}
    {%- endif -%}
    {%- set rows = [] -%}
    {%- for line in holidays[country].strip().split('\\n') -%}
        {%- do rows.append([line[:10], line[11:]]) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}
"""


def days(country: str) -> str:
    """The lines of a country, sorted."""
    found = holidays.country_holidays(
        country, subdiv=REGIONS.get(country), years=YEARS, language=LANGUAGES[country]
    )
    return "\n".join(f"{day.isoformat()} {name}" for day, name in sorted(found.items()) if day.year in YEARS)


if __name__ == "__main__":
    countries = "\n".join(
        f"    {{%- set days -%}}\n{days(country)}\n{{%- endset -%}}\n"
        f"    {{%- do holidays.update({{'{country}': days}}) -%}}"
        for country in LANGUAGES
    )
    MACRO.write_text(TEMPLATE.replace("%(countries)s", countries))
    print(MACRO)  # noqa: T201
