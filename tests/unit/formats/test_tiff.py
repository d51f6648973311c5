"""Directories are read as far as they are sound; nothing that they say leads astray."""

import struct

import pytest

from media_jobs.pipeline.formats import tiff
from media_jobs.pipeline.formats.common import Damaged
from tests import images
from tests.formats import raws

JPEG = images.jpeg(64, 48)


def first_directory(data: bytes) -> dict[int, tiff.Value]:
    return tiff.Tiff.parse(data).first_tags()


@pytest.mark.parametrize(
    ("data", "make"),
    [
        (raws.nef(JPEG), "NIKON CORPORATION"),
        (raws.orf(JPEG), "OLYMPUS IMAGING CORP."),
        (b"IIRS" + raws.orf(JPEG)[4:], "OLYMPUS IMAGING CORP."),
        (raws.rw2(JPEG), "Panasonic"),
        (b"MMOR" + images.raw_tiff((0x100, 3, 10), make="OLYMPUS", order=">")[4:], "OLYMPUS"),
    ],
    ids=["NEF", "ORF", "ORF, IIRS", "RW2", "ORF, Motorola order"],
)
def test_raw_files_are_read_like_any_tiff(data: bytes, make: str) -> None:
    assert tiff.text(first_directory(data), 0x010F) == make


@pytest.mark.parametrize("big", [False, True])
def test_numbers_and_text_come_out_as_they_were_written(big: bool) -> None:
    tags = first_directory(images.tiff(64, 48, big_tiff=big))
    assert (tiff.number(tags, 0x0100), tiff.number(tags, 0x0101)) == (64, 48)
    assert tiff.number(tags, 0xFFFF, 7) == 7
    assert tiff.text(tags, 0x0100) == ""


@pytest.mark.parametrize(
    "head", [b"", b"II", b"II*\0", b"II*\0\x08\0\0\0", b"XX*\0" + bytes(20), b"MM\0\x2c" + bytes(20)]
)
def test_what_is_no_tiff_is_damaged(head: bytes) -> None:
    with pytest.raises(Damaged):
        tiff.Tiff.parse(head)


@pytest.mark.parametrize("at", [0, 1_000, 2**32 - 1])
def test_a_directory_outside_of_the_data_is_damaged(at: int) -> None:
    with pytest.raises(Damaged):
        first_directory(b"II*\0" + struct.pack("<I", at) + bytes(100))


@pytest.mark.parametrize("entries", [0, 1_001, 65_535])
def test_a_directory_of_absurd_length_is_damaged(entries: int) -> None:
    sound = b"".join(struct.pack("<HHII", tag, 3, 1, 640) for tag in range(entries))
    with pytest.raises(Damaged):
        first_directory(b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + sound + bytes(4))


def test_a_value_that_lies_outside_is_left_out_and_the_others_are_kept() -> None:
    entries = struct.pack("<HHII", 0x0100, 3, 1, 640) + struct.pack("<HHII", 0x010F, 2, 500, 9_000)
    tags = first_directory(b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4))
    assert tags == {0x0100: (640,)}


def test_a_value_that_claims_gigabytes_is_left_out() -> None:
    entries = struct.pack("<HHII", 0x0100, 3, 1, 640) + struct.pack("<HHII", 0x0111, 4, 2**31, 8)
    assert first_directory(b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4)) == {0x0100: (640,)}


def test_a_file_cut_anywhere_is_read_or_damaged() -> None:
    data = raws.nef(JPEG)
    for length in range(400):
        try:
            assert first_directory(data[:length])
        except Damaged:
            continue
