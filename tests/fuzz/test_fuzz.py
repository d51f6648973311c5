"""The short form of `make fuzz`, and the promises of its tools."""

from pathlib import Path

import pytest

from media_jobs.pipeline.formats.sniff import RAW_FORMATS
from tests.fuzz.mutate import MUTATORS, Recipe, recipe
from tests.fuzz.payload import payloads
from tests.fuzz.report import Report, save
from tests.fuzz.run import again, run
from tests.fuzz.seeds import seeds
from tests.fuzz.walkers import walk

pytestmark = pytest.mark.slow

SEED = 20_000
INPUTS = 300


def test_every_damaged_picture_gets_a_render_or_a_code_and_leaves_nothing_behind(tmp_path: Path) -> None:
    report = Report()
    for tried in run((recipe(SEED, number) for number in range(INPUTS)), tmp_path):
        report.add(tried)
    print(report.table())
    repeated = [again(found, tmp_path) for found in report.findings]
    assert [save(found, tmp_path / "findings") for found in repeated if found.is_finding] == []
    assert report.total == INPUTS
    assert report.count("rendered") > INPUTS // 10
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_decoders_meet_damage_that_no_look_at_a_header_shows(tmp_path: Path) -> None:
    report = Report()
    for tried in run((recipe(SEED, number, "spoil_pixels") for number in range(INPUTS // 2)), tmp_path):
        report.add(tried)
    print(report.table())
    assert report.findings == []
    assert all(report.outcomes[name]["undecodable"] for name in ("avif", "heic", "webp", "jpeg", "png", "gif", "tiff"))


@pytest.mark.parametrize("name", seeds())
def test_the_pixels_of_every_seed_are_found_and_the_rest_is_left_alone(name: str) -> None:
    data, spans = seeds()[name], payloads(seeds()[name])
    spoilt = [Recipe(0, name, (("spoil_pixels", dice),)).make() for dice in range(5)]
    changed = {at for other in spoilt for at, (a, b) in enumerate(zip(data, other, strict=True)) if a != b}
    checksums = 4 if name.startswith("png") else 0
    assert changed
    assert all(any(start <= at < end + checksums for start, end in spans) for at in changed)


def test_every_seed_is_a_picture_as_it_is(tmp_path: Path) -> None:
    tried = run((Recipe(0, name) for name in seeds()), tmp_path)
    assert {found.recipe.start: found.outcome for found in tried if found.outcome != "rendered"} == {}


def test_an_input_can_be_made_again_from_its_number() -> None:
    first, second = ([recipe(7, number).make() for number in range(50)] for _ in range(2))
    assert first == second
    assert len(set(first)) > 45


def test_every_way_to_damage_a_picture_changes_some_picture() -> None:
    for name in MUTATORS:
        assert any(Recipe(0, seed, ((name, 1),)).make() != data for seed, data in seeds().items()), name


def test_the_tables_of_raw_layouts_give_an_answer_soon_whatever_the_bytes_say() -> None:
    walked = walk(SEED, range(INPUTS))
    assert walked.findings == []
    assert set(walked.outcomes) == RAW_FORMATS
    assert all(counts["found"] for counts in walked.outcomes.values())
