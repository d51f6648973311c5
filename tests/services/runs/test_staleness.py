"""What is stale, and why: the question of the database against what a real run would make."""

import pytest

from media_jobs import keys, selectors, staleness
from media_jobs.callers import SYSTEM
from media_jobs.models import Derivative, EngineVersion, Original
from media_jobs.pipeline.values import Focus, Overrides, ingredient_digest
from media_jobs.services import engines
from media_jobs.services.images import editing
from media_jobs.states import Staleness
from tests import images
from tests.services.runs.test_roll_back import change_preset
from tests.services.runs.working import confirmed, current, uploaded, work

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(300, 200)


def why() -> dict[str, int]:
    found = staleness.count()
    return {"current": found.current, "stale": found.stale, **{str(k): n for k, n in found.because.items() if n}}


def test_what_was_just_made_is_not_stale(photo):
    uploaded(photo, rotation=90, focus_x=0.25, focus_y=1)
    uploaded(photo, stated_rights={"creator": "Ada"}, creator="Ada")
    assert why() == {"current": 8, "stale": 0}


def test_a_new_version_of_a_preset_makes_stale_what_it_says_differently(photo):
    uploaded(photo)
    change_preset(quality=40)
    assert why() == {"current": 4, "stale": 2, "recipe": 2}
    assert (work(confirmed(stale=tuple(Staleness))).done, why()) == (1, {"current": 4, "stale": 0})


def test_rights_and_overrides_make_stale_until_they_are_as_before(photo):
    original = uploaded(photo)
    before = {row.key for row in current(original).values()}
    editing.change(original.pk, actor=SYSTEM, rights={"creator": "Ada"})
    assert why() == {"current": 4, "stale": 4, "rights": 4}
    Original.objects.filter(pk=original.pk).update(rotation=90, focus_x=None, focus_y=None)
    assert why() == {"current": 4, "stale": 4, "rights": 4, "overrides": 4}
    editing.change(original.pk, actor=SYSTEM, rights={"creator": None})
    Original.objects.filter(pk=original.pk).update(rotation=0, focus_x=None, focus_y=None)
    assert why() == {"current": 4, "stale": 0}
    work(confirmed())
    assert {row.key for row in current(original).values()} == before


def test_another_engine_makes_all_stale(photo):
    uploaded(photo)
    made_by = staleness.current_engine()
    assert made_by == Derivative.objects.values_list("engine", flat=True).first()
    engines.note("gallimg-99 libvips-9.9.9")
    assert why() == {"current": 4, "stale": 4, "engine": 4}
    engines.forget()
    engines.note(made_by)
    assert why() == {"current": 4, "stale": 0}
    assert EngineVersion.objects.count() == 2


def test_what_the_preset_no_longer_has_is_not_counted(photo):
    uploaded(photo)
    Derivative.objects.filter(rendition="thumb").update(rendition="tiny")
    assert why() == {"current": 3, "stale": 0}


def test_the_database_says_stale_exactly_where_the_key_would_be_another(photo):
    """Each ingredient changed alone and together: the columns say what the digests in the keys say."""
    originals = [uploaded(photo) for _ in range(3)]
    editing.change(originals[1].pk, actor=SYSTEM, rights={"copyright": "Ada"})
    Original.objects.filter(pk=originals[2].pk).update(rotation=180, focus_x=0.5, focus_y=0.5)
    change_preset(quality=41)
    presets = [selectors.current_preset("gallformers")]
    conditions = staleness.reasons(presets, staleness.current_engine())
    for original in Original.objects.all():
        for row in original.derivatives.filter(state="current"):
            row.preset = presets[0]  # the key that a run would give it now
            by_key = selectors.is_stale(row, original)
            found = Derivative.objects.filter(pk=row.pk)
            assert any(found.filter(condition).exists() for condition in conditions.values()) is by_key, row.key
            assert keys.digest_of(row.key)


def test_digests_are_of_what_is_written_whichever_way_it_is(photo):
    original = uploaded(photo, rotation=90, focus_x=0, focus_y=1)
    assert original.overrides_digest == ingredient_digest(Overrides(90, Focus(0.0, 1.0)))
    assert {row.overrides_digest for row in current(original).values()} == {original.overrides_digest}
    with pytest.raises(ValueError, match="together"):
        Original.objects.filter(pk=original.pk).update(rotation=0)
    with pytest.raises(ValueError, match="together"):
        Original.objects.filter(pk=original.pk).update(creator="Ada")
