"""Recipes decide the bytes, and nothing else does."""

from dataclasses import replace

import pytest

from media_jobs.keys import derivative_key, is_public, original_key
from media_jobs.models.base import uuid7
from media_jobs.pipeline.recipes import GALLFORMERS, SHIPPED, Chroma, Crop, Fit, Format, Preset, Rendition

THUMB = Rendition("thumb", 200, Fit.COVER)


def digest(rendition: Rendition, source_sha256: str = "a" * 64, engine: str = "libvips-1") -> str:
    return rendition.digest(source_sha256=source_sha256, engine=engine)


def test_the_same_inputs_have_the_same_digest():
    assert digest(THUMB) == digest(replace(THUMB))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "tiny"},
        {"side_px": 201},
        {"fit": Fit.INSIDE},
        {"format": Format.WEBP},
        {"quality": 83},
        {"crop": Crop.ATTENTION},
        {"effort": 4},
        {"progressive": True},
        {"chroma": Chroma.FULL},
        {"enlarge": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_part_of_a_rendition_changes_the_digest(change):
    assert digest(replace(THUMB, **change)) != digest(THUMB)


def test_source_and_engine_change_the_digest():
    assert digest(THUMB, source_sha256="b" * 64) != digest(THUMB)
    assert digest(THUMB, engine="libvips-2") != digest(THUMB)


@pytest.mark.parametrize("name", ["", "Full", "../x", "a/b", "1st", "x" * 33, "ä"])
def test_a_name_that_is_no_folder_is_refused(name):
    with pytest.raises(ValueError, match="rendition name"):
        Rendition(name, 100)


@pytest.mark.parametrize(("side_px", "quality"), [(0, 80), (16_384, 80), (100, 0), (100, 101)])
def test_impossible_sizes_and_qualities_are_refused(side_px, quality):
    with pytest.raises(ValueError, match=r"side_px|quality"):
        Rendition("full", side_px, quality=quality)


@pytest.mark.parametrize("effort", [-1, 10])
def test_an_impossible_effort_is_refused(effort):
    with pytest.raises(ValueError, match="effort"):
        Rendition("full", 2048, effort=effort)


@pytest.mark.parametrize(
    ("asked", "source", "transparent", "made"),
    [
        (Format.PNG, "jpeg", False, Format.PNG),
        (Format.SOURCE, "avif", False, Format.AVIF),
        (Format.SOURCE, "heic", False, Format.JPEG),
        (Format.SOURCE, "cr2", False, Format.JPEG),
        (Format.AUTO, "png", True, Format.WEBP),
        (Format.AUTO, "png", False, Format.JPEG),
    ],
)
def test_a_format_that_depends_on_the_picture_is_resolved(asked, source, transparent, made):
    assert asked.resolved(source=source, transparent=transparent) is made


def test_a_preset_has_renditions_and_each_name_once():
    with pytest.raises(ValueError, match="no renditions"):
        Preset("empty", ())
    with pytest.raises(ValueError, match="one name"):
        Preset("twice", (THUMB, THUMB))


EVERY_FIELD = Rendition("all", 9, Fit.COVER, Format.AVIF, 50, Crop.ATTENTION, 3, True, Chroma.FULL, True)


@pytest.mark.parametrize("preset", [*SHIPPED, Preset("all", (EVERY_FIELD,))], ids=lambda preset: preset.name)
def test_a_preset_survives_the_way_to_the_child_and_back(preset):
    assert Preset.from_json(preset.to_json()) == preset


def test_only_leaves_the_others_out():
    assert [r.name for r in GALLFORMERS.only(["thumb", "full"]).renditions] == ["full", "thumb"]


def test_originals_are_private_and_every_derivative_public():
    image_id = uuid7()
    assert not is_public(original_key(image_id, "jpg"))
    for preset in SHIPPED:
        for rendition in preset.renditions:
            assert is_public(derivative_key(rendition.name, image_id, "0" * 32, "jpg"))


def test_the_folders_are_those_of_the_seed():
    image_id = uuid7()
    assert derivative_key("full", image_id, "d", "jpg") == f"full/{image_id}/d.jpg"
    assert derivative_key("web", image_id, "d", "webp") == f"derived/web/{image_id}/d.webp"
