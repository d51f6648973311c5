"""The parsers of our own, which run where no time limit would help: whatever the bytes say, an answer or a refusal.

Hypothesis chooses the damage, so what it finds comes with the least damage that shows it.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_jobs.errors import ImageRefused, UnsupportedFormat
from media_jobs.pipeline.formats import frames, gif, heif, heif_items, isobmff, jpeg, png, riff, tiff
from media_jobs.pipeline.formats.common import Damaged
from media_jobs.pipeline.formats.pixels import jpeg_oddities, jpeg_scans, tiff_page, tiff_samples
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, RAW_FORMATS, sniff
from media_jobs.pipeline.privacy.capture import capture
from media_jobs.pipeline.privacy.gather import gather
from media_jobs.pipeline.privacy.rights import rights
from media_jobs.pipeline.raw import choice
from tests.fuzz.mutate import MUTATORS, Recipe
from tests.fuzz.seeds import seeds

pytestmark = pytest.mark.slow  # `make test-all` runs them

EXAMPLES = 400
FORMATS = sorted({name.split("-")[0] for name in seeds()})
ACCEPTED = {"jpeg", "png", "webp", "gif", "tiff", "bmp", "avif", "heic"} | RAW_FORMATS
STEPS = st.lists(st.tuples(st.sampled_from(sorted(MUTATORS)), st.integers(0, 2**32 - 1)), max_size=5)

given_damage = given(start=st.sampled_from(sorted(seeds())), steps=STEPS)
few = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def damaged(start: str, steps: list[tuple[str, int]]) -> bytes:
    return Recipe(0, start, tuple(steps)).make()


def walked(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    return lambda data: list(parse(data))


@few
@given_damage
def test_first_bytes_are_named_or_refused(start: str, steps: list[tuple[str, int]]) -> None:
    with contextlib.suppress(UnsupportedFormat):
        assert sniff(damaged(start, steps)[:HEAD_BYTES]).format in ACCEPTED


#: What reads a structure, and what it raises where that is damaged.
PARSERS: tuple[tuple[Callable[[bytes], Any], type[Exception]], ...] = (
    (walked(jpeg.segments), Damaged),
    (walked(png.chunks), Damaged),
    (walked(riff.chunks), Damaged),
    (walked(gif.extensions), Damaged),
    (walked(isobmff.boxes), Damaged),
    (heif_items.meta, Damaged),
    (heif.header, ImageRefused),
    (lambda data: tiff.Tiff.parse(data).first_tags(), Damaged),
    (lambda data: tiff_samples.samples(tiff_page.find(data)), ImageRefused),
    (gif.first_place, Damaged),
    (jpeg_scans.scan, Damaged),
    (jpeg_oddities.count, Damaged),
)


@few
@given_damage
def test_structures_are_walked_or_called_damaged(start: str, steps: list[tuple[str, int]]) -> None:
    data = damaged(start, steps)
    for parse, damage in PARSERS:
        with contextlib.suppress(damage):
            parse(data)


@few
@given(
    start=st.sampled_from(sorted(name for name in seeds() if name.split("-")[0] in RAW_FORMATS)),
    steps=STEPS,
    claimed=st.sampled_from(sorted(RAW_FORMATS)),
)
def test_previews_of_raw_files_lie_in_them(start: str, steps: list[tuple[str, int]], claimed: str) -> None:
    data = damaged(start, steps)
    for kind in {start.partition("-")[0], claimed}:
        with contextlib.suppress(Damaged, ImageRefused):
            for found in choice.whole_previews(data, choice.listing(data, kind)):
                assert all(0 < start < end <= len(data) for start, end in found.named.extents)
                assert b"".join(found.chunks(data)).startswith(b"\xff\xd8\xff")


@few
@given_damage
def test_counting_frames_ends(start: str, steps: list[tuple[str, int]]) -> None:
    for name in ("gif", "webp", "png", "tiff"):
        with contextlib.suppress(Damaged):
            assert 1 <= frames.frames(name, damaged(start, steps), 50) <= 51


@few
@given(start=st.sampled_from(sorted(seeds())), steps=STEPS, claimed=st.sampled_from(FORMATS))
def test_metadata_are_read_as_far_as_they_are_whole(start: str, steps: list[tuple[str, int]], claimed: str) -> None:
    found = gather(damaged(start, steps), claimed)
    facts = {**capture(found.exif, found.iptc, found.xmp), **rights(found.exif, found.iptc, found.xmp)}
    assert all(choice.value is not None for choice in facts.values())
    assert all(isinstance(name, str) for name in found.names)
