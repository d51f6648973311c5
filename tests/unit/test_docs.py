"""What the README, the pages under docs/ and `.env.example` say is what the code does."""

import dataclasses
import importlib
import json
import re
from pathlib import Path
from typing import Any

import dotenv
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from bench.report import charts, scaling, table, targets
from gallimg_site.env import Env
from media_jobs.pipeline.recipes import SHIPPED
from tests import generated_docs
from tests.generated_docs import EXAMPLE, ROOT, between_marks
from tests.measuring import budgets

README = ROOT / "README.md"
DOCUMENTS = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if path.is_file())
#: Words of the first builds, for which the glossary, RQ or S3 have others.
_RETIRED = re.compile(
    r"(?<![a-z])(?:keeper|chore|sitting|burial|bury|condemn|doomed|announce|ring|wake|comes_next|beat|tick|pulse"
    r"|patiently|duty|wary|owe[ds]?|wishes|adoption|halt|forsake|standing|mended)s?(?![a-z])"
)
_DEFINED = re.compile(r"^ *(?:(?:async )?def |class |(?:self\.)?(?=\w+(?:: [^=]+)? = ))(\w+)", re.MULTILINE)
_REWRITES = "python -m tests.generated_docs writes it"


def section_of(document: Path, heading: str) -> str:
    """Return the text from `heading` to the next one of its level."""
    after = document.read_text().split(f"{heading}\n", 1)[1]
    return re.split(r"(?m)^## ", after)[0]


def routes(resolver: URLResolver, prefix: str = "/") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            found.append(path)
        elif not path.startswith("/admin/"):
            found += routes(entry, path)
    return found


# --- what is generated ----------------------------------------------------------------------------


def test_the_settings_table_is_the_code() -> None:
    assert between_marks(generated_docs.SETTINGS, "settings") == generated_docs.settings_table(), _REWRITES


def test_what_was_measured_is_the_reference_run() -> None:
    results = generated_docs.measured()
    assert between_marks(generated_docs.BENCHMARKS, "targets") == targets.markdown(results), _REWRITES
    assert between_marks(generated_docs.BENCHMARKS, "charts") == charts.markdown(results), _REWRITES
    assert between_marks(generated_docs.BENCHMARKS, "bench") == table.markdown(results), _REWRITES
    drawn = {path.name: path.read_text() for path in generated_docs.CHARTS.iterdir()}
    assert drawn == dict(charts.drawn(results)), _REWRITES


def test_what_saturates_first_is_computed_from_the_reference_run_and_from_the_budgets() -> None:
    page = generated_docs.SCALING
    assert between_marks(page, "scaling") == scaling.markdown(generated_docs.measured()), _REWRITES
    assert between_marks(page, "budgets") == budgets.table(), _REWRITES


def test_the_example_is_the_code() -> None:
    assert EXAMPLE.read_text() == generated_docs.example(), _REWRITES


def test_the_static_description_of_the_instrlabs_api_is_the_code() -> None:
    assert generated_docs.SWAGGER.read_text() == generated_docs.swagger(), _REWRITES


def test_the_example_changes_nothing_as_it_stands_and_is_valid_without_its_comments(tmp_path: Path) -> None:
    assert dotenv.dotenv_values(EXAMPLE) == {}
    bare = tmp_path / "env"
    bare.write_text(re.sub(r"(?m)^# (?=[A-Z0-9_]+=)", "", EXAMPLE.read_text()))
    defaults = {field.name: generated_docs.default_of(field) for field in dataclasses.fields(Env)}
    assert dotenv.dotenv_values(bare) == defaults


# --- what is written by hand ----------------------------------------------------------------------


def test_the_readme_is_short() -> None:
    assert README.stat().st_size <= 15_000


def test_every_address_of_the_service_is_on_its_page_and_no_other() -> None:
    from media_jobs.api.probes import middleware

    listed = re.findall(r"`(?:GET|POST|PATCH|DELETE) (/[^`]*)`", section_of(ROOT / "docs/api.md", "## Calls"))
    real = {re.sub(r"<(?:\w+:)?\w+>", "{}", path) for path in routes(get_resolver()) if path != "/"}
    real |= set(middleware._PROBES)  # before any routing
    assert {re.sub(r"\{\w+\}", "{}", path) for path in listed} == real


@pytest.mark.parametrize("preset", SHIPPED, ids=lambda preset: preset.name)
def test_every_shipped_rendition_is_on_the_page_of_the_api(preset: Any) -> None:
    presets = section_of(ROOT / "docs/api.md", "## Presets")
    row = next(line for line in presets.splitlines() if line.startswith(f"| `{preset.name}` | "))
    for rendition in preset.renditions:
        assert f"`{rendition.name}`" in row
        assert str(rendition.side_px) in row
        assert str(rendition.quality) in row


def test_the_error_on_the_page_of_the_api_is_one_that_the_service_gave() -> None:
    from media_jobs.api.shared.openapi import captured

    lines = (ROOT / "docs/api.md").read_text().splitlines()
    shown = [json.loads(line) for line in lines if line.startswith('{"type":')]
    assert shown == [captured.PROBLEMS["unknown_field"]]


def test_every_maintenance_task_is_on_the_page_of_operators_and_no_other() -> None:
    from media_jobs.services.housekeeping import TASKS

    section = section_of(ROOT / "docs/operating.md", "## Housekeeping")
    named = re.findall(r"(?m)^\| ([a-z, ]+) \|", section)
    assert {name for cell in named for name in cell.split(", ")} - {"task"} == {task.name for task in TASKS}


def test_every_event_that_operators_are_promised_is_logged() -> None:
    code = "".join(path.read_text() for path in (ROOT / "media_jobs").rglob("*.py"))
    rows = [line for line in section_of(ROOT / "docs/operating.md", "## Logs").splitlines() if line.startswith("| `")]
    events = [event for row in rows for event in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert len(events) > 10
    assert [event for event in events if f'"{event}"' not in code] == []


def test_every_file_that_the_code_map_names_exists() -> None:
    page = ROOT / "docs/code-map.md"
    folder, named = "", 0
    for block in page.read_text().split("```\n")[1::2]:
        for line in block.strip().splitlines():
            nested = line.startswith("  ")
            folder = folder if nested else ""
            for name in re.match(r"\s*(\S+(?: \S+)*)", line)[1].split():  # type: ignore[index]
                assert (ROOT / folder / name).exists(), folder + name
                named += 1
            if not nested and line.split()[0].endswith("/"):
                folder = line.split()[0]
    for path in re.findall(r"`((?:media_jobs|gallimg_site|tests)/[\w/.]*)`", page.read_text()):
        assert (ROOT / path).exists(), path
        named += 1
    assert named > 60


def test_what_the_code_map_calls_by_name_is_there() -> None:
    """The functions, classes and constants of an answer are defined in a file that the answer names, too."""
    answers = section_of(ROOT / "docs/code-map.md", "## Where do I change …").split("\n\n**")
    named = 0
    for answer in answers:
        code = "".join((ROOT / path).read_text() for path in re.findall(r"`([\w/]+\.py)`", answer))
        for name in re.findall(r"`(\w+)`", answer):
            assert re.search(rf"(?m)^\s*(?:def |class )?{name}\b(?! import)", code), name
            named += 1
    assert named > 15


def test_the_calls_that_contributors_are_led_through_are_there_and_few() -> None:
    lists = section_of(ROOT / "CONTRIBUTING.md", "## The way of an upload, and of a job").split("\n1. ")[1:]
    assert len(lists) == 2
    for calls in ("1. " + calls for calls in lists):
        stops = re.findall(r"(?m)^\d+\. `([\w.]+)`", calls)
        assert len(stops) == len(re.findall(r"(?m)^\d+\. ", calls)) <= 12
        for name in stops:
            import_object(f"media_jobs.{name}")


def test_the_glossary_is_in_order() -> None:
    words = re.findall(r"(?m)^\| ([^|]+) \| ", (ROOT / "docs/glossary.md").read_text())[1:]
    assert len(words) > 20
    assert words == sorted(words)


def test_no_retired_word_is_a_name() -> None:
    sources = [path for top in ("media_jobs", "gallimg_site") for path in (ROOT / top).rglob("*.py")]
    written = [path for path in sources if "migrations" not in path.parts]
    names = {name for path in written for name in [path.stem, *_DEFINED.findall(path.read_text())]}
    words = {name: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in names}
    assert len(names) > 4_000
    assert [name for name, parts in words.items() if _RETIRED.search(parts)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_every_make_target_exists(document: Path) -> None:
    text = document.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if not path.startswith(("http:", "https:", "mailto:")):
            linked = document.parent / path if path else document
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked.read_text()), target
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?m)(?:`|^)make ([a-z][a-z-]*)", text):
        assert re.search(rf"(?m)^{target}:", makefile), f"make {target}"


def import_object(path: str) -> Any:
    """Return what a dotted path leads to, a method of a class too. Raises AttributeError, ImportError."""
    found: Any = importlib.import_module("media_jobs")
    for name in path.split(".")[1:]:
        if not hasattr(found, name):
            importlib.import_module(f"{found.__name__}.{name}")
        found = getattr(found, name)
    return found


def anchors(markdown: str) -> set[str]:
    headings = re.findall(r"(?m)^#+ (.+)$", markdown)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
