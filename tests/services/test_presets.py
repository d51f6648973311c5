"""Presets change by new versions."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from threading import Barrier

import pytest
from django.db import connection

from media_jobs import selectors
from media_jobs.errors import UnknownPreset
from media_jobs.models import Preset, Rendition
from media_jobs.pipeline import recipes
from media_jobs.services import presets

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("shipped", recipes.SHIPPED, ids=lambda preset: preset.name)
def test_what_the_migration_ships_is_what_the_pipeline_ships(shipped):
    stored = selectors.current_preset(shipped.name).recipe()
    assert set(stored.renditions) == set(shipped.renditions)


UNUSUAL = recipes.Rendition(
    name="unusual",
    side_px=333,
    fit=recipes.Fit.COVER,
    format=recipes.Format.AVIF,
    quality=41,
    crop=recipes.Crop.ATTENTION,
    effort=0,
    progressive=False,
    chroma=recipes.Chroma.FULL,
    enlarge=True,
)


def test_whatever_a_recipe_can_say_is_stored_and_copied():
    usual = recipes.Rendition("usual", 1)
    assert [f.name for f in fields(usual) if getattr(UNUSUAL, f.name) == getattr(usual, f.name)] == []
    draft = Preset.objects.create(name="odd")
    Rendition.objects.create(preset=draft, **asdict(UNUSUAL))
    assert Preset.objects.get(name="odd").recipe().renditions == (UNUSUAL,)
    assert presets.copy_as_new_version(draft).recipe().renditions == (UNUSUAL,)


def test_a_new_rendition_starts_with_the_defaults_of_the_recipes():
    draft = Preset.objects.create(name="plain")
    Rendition.objects.create(preset=draft, name="web", side_px=7)
    assert Preset.objects.get(name="plain").recipe().renditions == (recipes.Rendition("web", 7),)


def test_a_copy_is_a_draft_until_it_is_made_current():
    first = selectors.current_preset("gallformers")
    copy = presets.copy_as_new_version(first)
    assert (copy.version, copy.current) == (2, False)
    assert copy.recipe().renditions == first.recipe().renditions
    presets.make_current(copy)
    assert selectors.current_preset("gallformers") == copy
    assert Preset.objects.filter(name="gallformers", current=True).count() == 1


def test_a_preset_without_renditions_does_not_become_current():
    with pytest.raises(ValueError, match="no renditions"):
        presets.make_current(Preset.objects.create(name="empty"))


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(UnknownPreset, match="gallformers, gallformers-legacy, ingest"):
        selectors.current_preset("galformers")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["make_current", "copy_as_new_version"])
def test_two_people_change_a_preset_at_once(what):
    first = selectors.current_preset("gallformers")
    drafts = [presets.copy_as_new_version(first) for _ in range(4)]

    def change(draft: Preset) -> None:
        try:
            together.wait(30)
            getattr(presets, what)(draft)
        finally:
            connection.close()

    for _ in range(5):
        together = Barrier(len(drafts))
        with ThreadPoolExecutor(len(drafts)) as pool:
            list(pool.map(change, drafts))
    assert Preset.objects.filter(name="gallformers", current=True).count() == 1
