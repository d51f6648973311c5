"""Rights that a person has stated: before those of the file, in the database and in every derivative made later."""

from typing import Any

import pytest
from PIL import Image

from media_jobs import selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS
from media_jobs.models import Derivative, Job, Original
from media_jobs.pipeline.formats import jpeg
from media_jobs.pipeline.privacy import embed
from media_jobs.pipeline.values import Rights
from media_jobs.services.images import deletion, editing
from media_jobs.services.jobs import attempt
from media_jobs.states import DerivativeState
from tests import images, working
from tests.factories import make_job, make_original

pytestmark = pytest.mark.django_db

IN_FILE = Rights(creator="Ada Lovelace", copyright="All rights Ada")
BOB: dict[str, Any] = {"creator": "Bob", "licence": "https://creativecommons.org/licenses/by/4.0/"}
VALID = Rights(creator="Bob", copyright="All rights Ada", licence=BOB["licence"])


@pytest.fixture(scope="module")
def photo() -> bytes:
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = IN_FILE.creator, IN_FILE.copyright
    return images.jpeg(320, 200, exif=exif)


def run(original: Original) -> Job:
    job = make_job(original, preset="ingest")
    working.run(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.detail
    original.refresh_from_db()
    return job


def current(original: Original) -> dict[str, Derivative]:
    return {d.rendition: d for d in Derivative.objects.filter(original=original, state=DerivativeState.CURRENT)}


def packets(derivative: Derivative, tmp_path) -> list[bytes]:
    """The EXIF and XMP packets in the stored file of a JPEG."""
    path = tmp_path / "derivative"
    store(Role.WORKER).fetch(derivative.key, path)
    data = path.read_bytes()
    found = [data[s.start : s.end] for s in jpeg.segments(data) if s.marker == jpeg.APP1]
    return [part.removeprefix(embed.EXIF_MARK).removeprefix(embed.XMP_MARK) for part in found]


def test_without_a_word_of_anybody_the_file_decides(photo):
    original = make_original(photo)
    run(original)
    assert original.rights == original.read_in_file() == IN_FILE


def test_stated_rights_are_written_into_derivatives_made_later_and_the_file_fills_the_rest(photo, tmp_path):
    original = make_original(photo, stated_rights=BOB, **BOB)
    run(original)
    assert (original.rights, original.read_in_file()) == (VALID, IN_FILE)
    for rendition in ("thumbnail-legacy", "web-legacy"):
        assert packets(current(original)[rendition], tmp_path) == [embed.exif_block(VALID), embed.xmp_packet(VALID)]


def test_a_changed_right_makes_derivatives_stale_and_the_next_run_makes_others(photo, tmp_path):
    original = make_original(photo)
    run(original)
    before = current(original)
    kept = packets(before["web-legacy"], tmp_path)
    assert not any(selectors.is_stale(d, original) for d in before.values())

    editing.change(original.pk, actor=ANONYMOUS, rights=BOB)
    original.refresh_from_db()
    assert original.rights == VALID
    assert all(selectors.is_stale(d, original) for d in before.values())
    assert packets(before["web-legacy"], tmp_path) == kept  # the same key, the same bytes

    run(original)
    after = current(original)
    assert {d.key for d in after.values()}.isdisjoint(d.key for d in before.values())
    assert not any(selectors.is_stale(d, original) for d in after.values())
    assert packets(after["web-legacy"], tmp_path) == [embed.exif_block(VALID), embed.xmp_packet(VALID)]
    assert packets(before["web-legacy"], tmp_path) == kept


def test_who_takes_the_word_back_gets_the_old_files_again_under_their_old_keys(photo):
    original = make_original(photo)
    run(original)
    before = {name: (d.key, d.sha256) for name, d in current(original).items()}
    editing.change(original.pk, actor=ANONYMOUS, rights=BOB)
    run(original)
    editing.change(original.pk, actor=ANONYMOUS, rights=dict.fromkeys(BOB))
    original.refresh_from_db()
    assert (original.rights, original.stated_rights) == (IN_FILE, {})
    run(original)
    assert {name: (d.key, d.sha256) for name, d in current(original).items()} == before


def test_saying_what_the_file_says_anyway_makes_nothing_stale(photo):
    original = make_original(photo)
    run(original)
    editing.change(original.pk, actor=ANONYMOUS, rights={"creator": IN_FILE.creator})
    original.refresh_from_db()
    assert not any(selectors.is_stale(d, original) for d in current(original).values())


def test_an_empty_right_says_that_there_is_none(photo, tmp_path):
    original = make_original(photo, stated_rights={"creator": "", "copyright": ""})
    run(original)
    assert original.rights == Rights()
    assert packets(current(original)["web-legacy"], tmp_path) == []


def test_rights_that_change_while_a_worker_renders_count_and_what_it_made_is_stale(photo, monkeypatch):
    original = make_original(photo)
    store_outputs = attempt.Attempt._store

    def change_first(self, *args):
        editing.change(original.pk, actor=ANONYMOUS, rights=BOB)
        store_outputs(self, *args)

    monkeypatch.setattr(attempt.Attempt, "_store", change_first)
    run(original)
    assert original.rights == VALID
    assert all(selectors.is_stale(d, original) for d in current(original).values())


def test_rights_of_a_picture_that_version_01_has_read_are_those_of_its_file():
    original = make_original(
        stored=False, creator="Ada Lovelace", copyright="All rights Ada"
    )  # nothing says from where
    editing.change(original.pk, actor=ANONYMOUS, rights={"creator": "Bob"})
    editing.change(original.pk, actor=ANONYMOUS, rights={"creator": None})
    original.refresh_from_db()
    assert original.rights == IN_FILE


def test_a_restored_picture_has_the_rights_that_were_stated_meanwhile(photo, tmp_path):
    original = make_original(photo)
    run(original)
    editing.change(original.pk, actor=ANONYMOUS, rights=BOB)
    deletion.delete(original.pk, actor=ANONYMOUS)
    job = deletion.restore(original.pk, actor=ANONYMOUS).job
    working.run(job.pk)
    assert packets(current(original)["web-legacy"], tmp_path) == [embed.exif_block(VALID), embed.xmp_packet(VALID)]
