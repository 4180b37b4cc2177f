"""Writes docs/api.md from the OpenAPI description of the server (`make docs`)."""

from typing import Any
from urllib.parse import quote

from ingest import warehouse
from reports.server.app import routes

PAGE = warehouse.ROOT / "docs" / "api.md"
HEAD = """\
# The API

This page is written from the server's OpenAPI description (`make docs`), which a server gives out at
`/api/v1/openapi.json`. Change `reports/server/api.py`, not the page.

"""


def render() -> str:
    """The page as Markdown."""
    content = routes().openapi()
    schemas = content["components"]["schemas"]
    lines = [HEAD + content["info"]["description"], ""]
    groups: dict[str, list[str]] = {}
    for path, operations in content["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).extend(_endpoint(method, path, operation, schemas))
    for name, texts in groups.items():
        lines += [f"## {name.capitalize()}", "", *texts]
    return "\n".join(lines).rstrip() + "\n"


def _endpoint(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    lines = [f"### `{method.upper()} {path}`", "", operation["description"], ""]
    parameters = operation.get("parameters", [])
    if parameters:
        lines += ["| parameter | in | type | what |", "|---|---|---|---|"]
        lines += [_parameter(parameter, schemas) for parameter in parameters]
        lines.append("")
    lines += [f"```sh\ncurl '{_example(path, parameters)}'\n```", ""]
    answer = operation["responses"]["200"]
    for media_type, body in answer["content"].items():
        lines.append(f"Answers with `{media_type}`" + (":" if "$ref" in body["schema"] else "."))
        if "$ref" in body["schema"]:
            lines += ["", *_fields(body["schema"], schemas, 0)]
    codes = [code for code in operation["responses"] if code not in ("200", "304")]
    lines += ["", f"Problems: {', '.join(codes)}.", ""]
    return lines


def _parameter(parameter: dict[str, Any], schemas: dict[str, Any]) -> str:
    schema = parameter["schema"]
    text = parameter.get("description") or schema.get("description") or ""
    if "default" in schema and schema["default"] not in (None, []):
        text += f" Default: `{schema['default']}`."
    type_ = _type(schema, schemas).removesuffix(" or null")
    return f"| `{parameter['name']}` | {parameter['in']} | {type_} | {text.strip()} |"


def _fields(schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> list[str]:
    """The fields of an object, those of objects in it below them."""
    name = schema["$ref"].rsplit("/", 1)[1]
    lines = []
    for field, of in schemas[name].get("properties", {}).items():
        text = of.get("description", "")
        example = f", e.g. `{of['examples'][0]}`" if of.get("examples") else ""
        described = f": {text}" if text else ""
        lines.append(f"{'  ' * depth}- `{field}` ({_type(of, schemas)}{example}){described}")
        inner = of.get("items", of)
        if "$ref" in inner and "properties" in schemas[inner["$ref"].rsplit("/", 1)[1]]:
            lines += _fields(inner, schemas, depth + 1)
    return lines


def _type(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _type(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        return " or ".join(_type(part, schemas) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'], schemas)}"
    return str(schema.get("format") or schema.get("type") or "any")


def _example(path: str, parameters: list[dict[str, Any]]) -> str:
    examples = {"metric": "total_sales", "mart": "fact_sales", "suffix": "csv", "report": "daily"}
    asked = []
    for parameter in parameters:
        name = parameter["name"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", examples[name])
        elif found := parameter["schema"].get("examples"):
            value = found[0][0] if isinstance(found[0], list) else found[0]
            asked.append(f"{name}={quote(str(value), safe=':,-')}")
    return f"http://127.0.0.1:8000{path}" + (f"?{'&'.join(asked)}" if asked else "")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
