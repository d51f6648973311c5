"""What is generated of the documentation. `python -m tests.generated_docs` writes it; `unit/test_docs.py` compares."""

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

import django

from bench.report import charts, scaling, table, targets
from bench.rows import Results
from gallimg_site.env import Env
from gallimg_site.env_fields import takes
from tests.measuring import budgets

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "docs/settings.md"
BENCHMARKS = ROOT / "docs/benchmarks.md"
SCALING = ROOT / "docs/scaling.md"
CHARTS = ROOT / "docs/images/bench"
EXAMPLE = ROOT / ".env.example"
SWAGGER = ROOT / "media_jobs/api/instructions/swagger.json"
_INSTRLABS = ("/instructions", "/products", "/files", "/health")
_EXAMPLE_HEAD = """\
# Copy this file to `.env` and take the # away from what you change. The environment wins over it.
# Each setting stands here with its default. `${NAME}` in a value is replaced by that variable.
"""


def default_of(field: "dataclasses.Field[Any]") -> str:
    """Return the default as it would be written in the environment; empty for "not set"."""
    return str(field.default).lower() if field.type is bool else str(field.default)


def settings_table() -> str:
    lines = ["| setting | default | what it does |", "|---|---|---|"]
    for field in dataclasses.fields(Env):
        aliases = " or ".join(f"`{alias}`" for alias in field.metadata["aliases"])
        default = default_of(field)
        text = field.metadata["help"] + (f" (also {aliases})" if aliases else "")
        lines.append(f"| `{field.name}` | {f'`{default}`' if default else '–'} | {text} |")
    return "\n".join(lines) + "\n"


def measured() -> Results:
    """Return the figures of the reference run, part by part."""
    return Results.load(ROOT / "bench/results.json")


def example() -> str:
    """Return `.env.example`."""
    blocks = []
    for field in dataclasses.fields(Env):
        aliases = "".join(f", also {alias}" for alias in field.metadata["aliases"])
        kind = "" if takes(field) == "text" else f" ({takes(field)})"
        blocks.append(f"# {field.metadata['help']}{kind}{aliases}.\n# {field.name}={default_of(field)}\n")
    return _EXAMPLE_HEAD + "\n" + "\n".join(blocks)


def swagger() -> str:
    """Return the OpenAPI document of the Instrlabs API: its paths out of that of the service, and what these name."""
    from drf_spectacular.generators import SchemaGenerator

    whole = SchemaGenerator().get_schema(request=None, public=True)
    paths = {path: calls for path, calls in whole["paths"].items() if path.startswith(_INSTRLABS)}
    schemas, wanted = whole["components"]["schemas"], _named(paths)
    while missing := {name for found in wanted for name in _named(schemas[found])} - wanted:
        wanted |= missing
    components = {
        "schemas": {name: schemas[name] for name in sorted(wanted)},
        "headers": whole["components"]["headers"],
        "securitySchemes": whole["components"]["securitySchemes"],
    }
    info = {name: whole["info"][name] for name in ("version", "license")} | {"title": "gallimg: the Instrlabs API"}
    document = {"openapi": whole["openapi"], "info": info, "paths": paths, "components": components}
    return json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n"


def _named(part: Any) -> set[str]:
    """Return the schemas that this part of a document refers to."""
    return set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(part, default=str)))


def between_marks(page: Path, name: str) -> str:
    """Return what stands in a page between the marks of that name."""
    first, last = _marks(name)
    return page.read_text().split(first, 1)[1].split(last, 1)[0]


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->\n", f"<!-- /{name} -->\n"


def write() -> None:
    results = measured()
    for page, name, text in (
        (SETTINGS, "settings", settings_table()),
        (BENCHMARKS, "targets", targets.markdown(results)),
        (BENCHMARKS, "charts", charts.markdown(results)),
        (BENCHMARKS, "bench", table.markdown(results)),
        (SCALING, "scaling", scaling.markdown(results)),
        (SCALING, "budgets", budgets.table()),
    ):
        old = between_marks(page, name).join(_marks(name))
        page.write_text(page.read_text().replace(old, text.join(_marks(name))))
    charts.write(results, CHARTS)
    EXAMPLE.write_text(example())
    SWAGGER.write_text(swagger())


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallimg_site.settings")
    django.setup()
    write()
