"""What a curator does about each kind of failure."""

import pytest

from media_jobs import errors
from media_jobs.errors import Blame, MediaError
from media_jobs.library import remedies


def kinds(base: type[MediaError] = MediaError) -> list[type[MediaError]]:
    return [kind for child in base.__subclasses__() for kind in (child, *kinds(child))]


FAILURES = [kind for kind in kinds() if getattr(kind, "blame", None) not in (None, Blame.CALLER, Blame.NOBODY)]


@pytest.mark.parametrize("kind", FAILURES, ids=[kind.__name__ for kind in FAILURES])
def test_every_failure_is_in_exactly_one_group(kind: type[MediaError]) -> None:
    assert [name for name, remedy in remedies.REMEDIES.items() if kind.code in remedies.codes_of(remedy)] == [
        remedies.of(kind.code).name
    ]


def test_what_is_the_files_fault_is_told_to_its_uploader_and_what_is_ours_is_not() -> None:
    assert remedies.of(errors.Truncated.code).message
    assert not remedies.of(errors.Truncated.code).retry
    assert not remedies.of(errors.StorageUnavailable.code).message
    assert remedies.of(errors.StorageUnavailable.code).retry


def test_a_code_that_no_error_has_any_more_is_a_fault_of_ours() -> None:
    assert remedies.of("of_version_0") is remedies.BUG
