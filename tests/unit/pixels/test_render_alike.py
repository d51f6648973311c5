"""Outputs that come out alike are encoded once, and nothing else is."""

import hashlib
from dataclasses import replace

import pytest
import pyvips

from media_jobs.demo.exif_writer import Facts, with_facts
from media_jobs.pipeline import encode
from media_jobs.pipeline.recipes import GALLFORMERS, Chroma, Crop, Fit, Format, Preset, Rendition
from media_jobs.pipeline.render import render
from media_jobs.pipeline.values import Request, Rights
from media_jobs.pipeline.verify import collect
from tests.formats.pictures import jpeg


@pytest.fixture
def encodes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the renditions that were really encoded."""
    names = []

    def encode_and_note(image: pyvips.Image, rendition: Rendition, format: Format, rights: Rights) -> bytes:
        names.append(rendition.name)
        return encode.encode(image, rendition, format, rights)

    monkeypatch.setattr("media_jobs.pipeline.render.encode", encode_and_note)
    return names


def test_renditions_that_come_out_alike_are_encoded_once_and_are_outputs_of_their_own(make, encodes, tmp_path):
    rendered, _ = make(with_facts(jpeg(300, 240), Facts(creator="Ada")), GALLFORMERS)
    assert encodes == ["full", "thumb"]
    files = [(tmp_path / "0" / output.file).read_bytes() for output in rendered.outputs]
    assert [output.file for output in rendered.outputs] == ["full.jpg", "medium.jpg", "small.jpg", "thumb.jpg"]
    assert files[0] == files[1] == files[2] != files[3]
    assert len({output.digest for output in rendered.outputs}) == 4
    for output, content in zip(rendered.outputs, files, strict=True):
        assert (len(content), hashlib.sha256(content).hexdigest()) == (output.size_bytes, output.sha256)
    assert set(rendered.receipt.outputs.values()) == {("EXIF Artist", "XMP dc:creator")}


def test_an_output_that_was_copied_is_the_one_that_would_have_been_encoded(make, tmp_path):
    data = jpeg(300, 240)
    together, _ = make(data, GALLFORMERS)
    for number, output in enumerate(together.outputs, start=1):
        (alone,) = make(data, GALLFORMERS.only([output.name]))[0].outputs
        assert output == alone
        assert (tmp_path / "0" / output.file).read_bytes() == (tmp_path / str(number) / alone.file).read_bytes()


def test_each_output_that_was_copied_is_reported_and_can_be_collected(tmp_path):
    (tmp_path / "source").write_bytes(jpeg(60, 40))
    heard = []
    request = Request(str(tmp_path / "source"), str(tmp_path), "0" * 64, GALLFORMERS)
    rendered = render(request, lambda done, of: heard.append((done, of)))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]
    (tmp_path / "out").mkdir()
    for output in rendered.outputs:
        collect(output, tmp_path, tmp_path / "out")


SAME = Rendition("same", 500)


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (replace(SAME, name="b", side_px=900), True),
        (replace(SAME, name="b", fit=Fit.WIDTH), True),
        (replace(SAME, name="b", fit=Fit.COVER, crop=Crop.ATTENTION), True),  # the picture is a square already
        (replace(SAME, name="b", format=Format.SOURCE), True),
        (replace(SAME, name="b", format=Format.AUTO), True),
        (replace(SAME, name="b", side_px=100), False),
        (replace(SAME, name="b", fit=Fit.COVER, side_px=100), False),
        (replace(SAME, name="b", format=Format.WEBP), False),
        (replace(SAME, name="b", quality=81), False),
        (replace(SAME, name="b", effort=1), False),
        (replace(SAME, name="b", progressive=True), False),
        (replace(SAME, name="b", chroma=Chroma.FULL), False),
        (replace(SAME, name="b", enlarge=True), False),
    ],
)
def test_what_would_differ_is_encoded_by_itself(make, encodes, other, alike):
    make(jpeg(150, 150), Preset("p", (SAME, other)))
    assert len(encodes) == (1 if alike else 2)


def test_squares_cut_in_different_ways_are_encoded_each(make, encodes):
    square = Rendition("centre", 50, Fit.COVER)
    make(jpeg(150, 100), Preset("p", (square, replace(square, name="attention", crop=Crop.ATTENTION))))
    assert len(encodes) == 2
