"""The walkers through JPEG, PNG, WebP and GIF: every part in its place, and damage is damage, soon."""

import random
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from media_jobs.pipeline.formats import gif, jpeg, png, riff
from media_jobs.pipeline.formats.common import Damaged
from tests.formats import facts

WALKS: dict[str, tuple[Callable[[bytes], Iterator[Any]], bytes, type[ValueError]]] = {
    "jpeg": (jpeg.segments, facts.jpeg_with(exif=facts.secret_exif(), xmp=facts.secret_xmp()), Damaged),
    "png": (png.chunks, facts.png_with((b"eXIf", facts.secret_exif())), Damaged),
    "webp": (riff.chunks, facts.webp_with((b"EXIF", facts.secret_exif())), Damaged),
    "gif": (gif.extensions, facts.gif_with(facts.gif_xmp(facts.secret_xmp())), Damaged),
}


def test_a_jpeg_s_segments_are_found_across_its_scans() -> None:
    scan = facts.segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\0\xff\xd7\x34"
    data = b"\xff\xd8" + facts.JFIF + scan + facts.segment(0xC4, b"\xff\xd9") + scan + b"\xff\xd9behind"
    assert [segment.marker for segment in jpeg.segments(data)] == [0xD8, 0xE0, 0xDA, 0xC4, 0xDA, 0xD9]


def test_nobody_looks_at_the_pixels_who_does_not_ask() -> None:
    walk = jpeg.segments(facts.jpeg()[:-8])  # cut in the middle of its pixels
    assert [next(walk).marker for _ in range(3)] == [0xD8, 0xE0, 0xDA]
    with pytest.raises(Damaged):
        next(walk)


@pytest.mark.parametrize("format", WALKS)
def test_every_part_lies_within_the_file_and_in_its_order(format: str) -> None:
    walk, data, _ = WALKS[format]
    bounds = [(part.start, part.end) for part in walk(data) if not isinstance(part, int)]
    assert bounds == sorted(bounds)
    assert all(0 < start <= end <= len(data) for start, end in bounds)


@pytest.mark.parametrize("format", WALKS)
def test_a_file_that_breaks_off_anywhere_is_damaged(format: str) -> None:
    walk, data, damaged = WALKS[format]
    for size in range(0, len(data), 7):
        with pytest.raises(damaged):
            list(walk(data[:size]))


@pytest.mark.parametrize("format", WALKS)
def test_overwritten_bytes_end_in_an_answer_or_in_damage(format: str) -> None:
    walk, data, damaged = WALKS[format]
    chance = random.Random(4711)
    for _ in range(300):
        wild = bytearray(data)
        for _ in range(chance.choice((1, 5, 50))):
            wild[chance.randrange(len(wild))] = chance.choice((0, 0x7F, 0xFF, chance.randrange(256)))
        try:
            assert len(list(walk(bytes(wild)))) < len(data)
        except damaged:
            continue


@pytest.mark.parametrize(
    ("walk", "data", "damaged"),
    [
        (jpeg.segments, b"\xff\xd8" + b"\xff\xfe\0\2" * 6_000, Damaged),
        (png.chunks, png.SIGNATURE + png.chunk(b"adAa", b"") * 21_000, Damaged),
        (riff.chunks, b"RIFF\xff\xff\xff\xffWEBP" + b"ADA \0\0\0\0" * 21_000, Damaged),
        (gif.extensions, b"GIF89a" + bytes(7) + b"\x21\xfe" + b"\1a" * 1_010_000, gif.TooManyBlocks),
    ],
)
def test_endlessly_many_parts_are_damage(
    walk: Callable[[bytes], Iterator[Any]], data: bytes, damaged: type[ValueError]
) -> None:
    with pytest.raises(damaged, match="too many"):
        list(walk(data))


@pytest.mark.parametrize(
    ("behind", "follows"),
    [(b"", False), (b"\0", True), (b"PK\3\4 archive", True), (facts.jpeg(), True), (b"\xff\xd9", True)],
)
def test_what_hangs_on_behind_a_jpeg_is_noticed(behind: bytes, follows: bool) -> None:
    data = facts.jpeg(behind=behind)
    assert jpeg.bytes_follow(data, data.index(b"\xff\xda")) is follows


@pytest.mark.parametrize("flag", [b"\0", b"\1"])
def test_a_packed_text_unpacks_to_its_limit_and_no_further(flag: bytes) -> None:
    body = zlib.compress(bytes(1_000_000)) if flag == b"\1" else bytes(1_000_000)
    text = png.text(b"iTXt", b"Comment\0" + flag + b"\0en\0Kommentar\0" + body, 1000)
    assert text == bytes(1000)


def test_a_broken_packed_text_is_empty() -> None:
    assert png.text(b"zTXt", b"Comment\0\0nonsense", 1000) == b""
