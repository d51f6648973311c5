"""What the README and `.env.example` say is what the code does. `python -m tests.unit.test_readme` rewrites both."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import dotenv
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from bench import table
from bench.rows import Run
from gallimg_site.env import Env, takes
from media_jobs.pipeline.recipes import SHIPPED

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
EXAMPLE = ROOT / ".env.example"
DOCUMENTS = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if path.is_file())
_EXAMPLE_HEAD = """\
# Copy this file to `.env` and take the # away from what you change. The environment wins over it.
# Each setting stands here with its default. `${NAME}` in a value is replaced by that variable.
"""


def default_of(field: "dataclasses.Field[Any]") -> str:
    """As it would be written in the environment; empty for "not set"."""
    return str(field.default).lower() if field.type is bool else str(field.default)


def settings_table() -> str:
    lines = ["| setting | default | what it does |", "|---|---|---|"]
    for field in dataclasses.fields(Env):
        aliases = " or ".join(f"`{alias}`" for alias in field.metadata["aliases"])
        default = default_of(field)
        text = field.metadata["help"] + (f" (also {aliases})" if aliases else "")
        lines.append(f"| `{field.name}` | {f'`{default}`' if default else '–'} | {text} |")
    return "\n".join(lines) + "\n"


def example() -> str:
    blocks = []
    for field in dataclasses.fields(Env):
        aliases = "".join(f", also {alias}" for alias in field.metadata["aliases"])
        kind = "" if takes(field) == "text" else f" ({takes(field)})"
        blocks.append(f"# {field.metadata['help']}{kind}{aliases}.\n# {field.name}={default_of(field)}\n")
    return _EXAMPLE_HEAD + "\n" + "\n".join(blocks)


def bench_table() -> str:
    return table.markdown(Run.load(ROOT / "bench/results.json"))


def section(name: str) -> str:
    """What stands between the README's marks of that name."""
    return README.read_text().split(f"<!-- {name} -->\n", 1)[1].split(f"<!-- /{name} -->\n", 1)[0]


def routes(resolver: URLResolver, prefix: str = "/") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            found.append(path)
        elif not path.startswith("/admin/"):
            found += routes(entry, path)
    return found


def test_the_settings_table_is_the_code() -> None:
    assert section("settings") == settings_table(), "python -m tests.unit.test_readme rewrites it"


def test_the_table_of_measurements_is_the_reference_run() -> None:
    assert section("bench") == bench_table(), "python -m tests.unit.test_readme rewrites it"


def test_the_example_is_the_code() -> None:
    assert EXAMPLE.read_text() == example(), "python -m tests.unit.test_readme rewrites it"


def test_the_example_changes_nothing_as_it_stands_and_is_valid_without_its_comments(tmp_path: Path) -> None:
    assert dotenv.dotenv_values(EXAMPLE) == {}
    bare = tmp_path / "env"
    bare.write_text(re.sub(r"(?m)^# (?=[A-Z0-9_]+=)", "", EXAMPLE.read_text()))
    assert dotenv.dotenv_values(bare) == {field.name: default_of(field) for field in dataclasses.fields(Env)}


def test_every_address_of_the_service_is_in_the_readme_and_no_other() -> None:
    from media_jobs.api.probes import middleware

    listed = re.findall(r"`(?:GET|POST) (/[^`]*)`", section_of(README, "## The API"))
    real = {re.sub(r"<(?:\w+:)?\w+>", "{}", path) for path in routes(get_resolver()) if path != "/"}
    real |= set(middleware._PROBES)  # before any routing
    assert {re.sub(r"\{\w+\}", "{}", path) for path in listed} == real


def section_of(document: Path, heading: str) -> str:
    """From `heading` to the next one of its level."""
    after = document.read_text().split(f"{heading}\n", 1)[1]
    return re.split(r"(?m)^## ", after)[0]


def test_every_event_that_operators_are_told_of_is_logged() -> None:
    code = "".join(path.read_text() for path in (ROOT / "media_jobs").rglob("*.py"))
    rows = [line for line in section_of(ROOT / "docs/operating.md", "## Logs").splitlines() if line.startswith("| `")]
    events = [event for row in rows for event in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert len(events) > 10
    assert [event for event in events if f'"{event}"' not in code] == []


@pytest.mark.parametrize("preset", SHIPPED, ids=lambda preset: preset.name)
def test_every_shipped_rendition_is_in_the_readme(preset: Any) -> None:
    row = next(line for line in README.read_text().splitlines() if line.startswith(f"| `{preset.name}` | "))
    for rendition in preset.renditions:
        assert f"`{rendition.name}`" in row
        assert str(rendition.side_px) in row
        assert str(rendition.quality) in row


def test_every_folder_of_the_code_map_exists() -> None:
    folder, named = "", 0
    for line in section_of(README, "## Code map").split("```")[1].strip().splitlines():
        nested = line.startswith("  ")
        if not nested:
            folder = ""
        for name in re.match(r"\s*(\S+(?: \S+)*)", line)[1].split():  # type: ignore[index]
            assert (ROOT / folder / name).exists(), folder + name
            named += 1
        if not nested and line.split()[0].endswith("/"):
            folder = line.split()[0]
    assert named > 20


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_every_make_target_exists(document: Path) -> None:
    text = document.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if not path.startswith(("http:", "https:", "mailto:")):
            assert (document.parent / path).exists() if path else anchor in anchors(text), target
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?m)(?:`|^)make ([a-z][a-z-]*)", text):
        assert re.search(rf"(?m)^{target}:", makefile), f"make {target}"


def anchors(markdown: str) -> set[str]:
    headings = re.findall(r"(?m)^#+ (.+)$", markdown)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def rewrite() -> None:
    for name, text in {"settings": settings_table(), "bench": bench_table()}.items():
        README.write_text(README.read_text().replace(section(name), text))
    EXAMPLE.write_text(example())


if __name__ == "__main__":
    rewrite()
