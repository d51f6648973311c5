"""A picture is rendered once the host has as much memory as it needs, and never brings the host down."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.adapters.decoder import host_memory, template
from media_jobs.adapters.decoder.host_memory import HostMemory
from media_jobs.adapters.decoder.questions import RenderQuestion
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.adapters.decoder.within_memory import render_within
from media_jobs.pipeline.recipes import GALLFORMERS
from media_jobs.pipeline.values import Limits, Rendered, Request
from media_jobs.ports import no_heartbeat
from tests import images
from tests.adapters.decoder.running import LINUX, MEMORY_BYTES

pytestmark = [LINUX, pytest.mark.slow]

MIB = 1_048_576
SMALL = images.jpeg()
#: What the coefficients of the large one take.
NEEDED_MB = 72


@cache
def large() -> bytes:
    """Made when a test wants it: to look through the tests takes every process of them."""
    return images.jpeg(6000, 4000, progressive=True)


class Host:
    """A host with so many MB left, and what it was asked for beyond a header."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.left_mb = folder, 100_000
        self.sandbox = Sandbox(MEMORY_BYTES, folder)
        self.asked = 0

    def render(self, content: bytes) -> Rendered:
        (self.folder / "source").write_bytes(content)
        limits = Limits(ratio=100_000)  # flat colours pack well
        request = Request(str(self.folder / "source"), str(self.folder), "0" * 64, GALLFORMERS, limits)
        return render_within(
            HostMemory(self.folder, self._left), self.sandbox, request,
            timeout_s=120, heartbeat=no_heartbeat, on_output=lambda done, of: None,
        )  # fmt: skip

    def _left(self) -> int:
        self.asked += 1
        return self.left_mb * MIB


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr(host_memory, "_PATIENCE_S", 0.0)
    made = Host(tmp_path)
    yield made
    made.sandbox.close()


def test_a_small_picture_is_asked_for_once_and_a_large_one_twice(host: Host) -> None:
    host.left_mb = 256
    host.render(SMALL)
    assert host.asked == 2
    host.render(large())
    assert host.asked == 2 + 4


def test_what_does_not_fit_ends_with_the_code_for_memory_and_hurts_nobody(host: Host) -> None:
    host.render(SMALL)
    child = host.sandbox.pid
    host.left_mb = 16 + NEEDED_MB // 3
    with pytest.raises(errors.TooMuchMemory, match=r"about \d{2,3} MB of memory; 24 MB are allowed"):
        host.render(large())
    assert not host.sandbox.restarts
    assert host.sandbox.pid == child
    host.render(SMALL)
    host.left_mb = 100_000
    host.render(large())


def test_where_a_decoder_hardly_fits_it_still_says_what_a_picture_needs(host: Host) -> None:
    template.close()
    host.left_mb = 16 + 34
    with pytest.raises(errors.TooMuchMemory, match=r"about 1\d\d MB of memory"):
        host.render(large())
    host.render(SMALL)


def test_what_an_estimate_takes_for_too_much_is_tried(host: Host) -> None:
    """A decoder of WebP is thought to hold more than it does for a lossy one."""
    picture = images.webp(3000, 2000)
    host.render(SMALL)
    host.left_mb = 16 + 115
    rendered = host.render(picture)
    assert len(rendered.outputs) == len(GALLFORMERS.renditions)


def test_a_decoder_that_gave_up_for_want_of_memory_does_not_call_the_picture_damaged(host: Host) -> None:
    """libwebp has one message for both."""
    picture, ends = images.webp(3000, 2000), set()
    for left_mb in range(90, 132, 2):
        host.left_mb = 100_000
        host.render(SMALL)  # a decoder that has its libraries
        host.left_mb = 16 + left_mb
        try:
            host.render(picture)
            ends.add("done")
        except errors.ImageRefused as error:
            ends.add(error.code)
    assert ends == {"done", errors.TooMuchMemory.code}


def test_a_need_that_nobody_can_have_is_not_believed(host: Host) -> None:
    """Of a child that was taken over."""
    request = Request("source", "into", "0" * 64, GALLFORMERS, Limits(room_bytes=10 * MIB))
    question = RenderQuestion(request, lambda done, of: None)
    assert isinstance(question.outcome({"needs": 11 * MIB}, host.folder), errors.NeedsRoom)
    for lie in (9 * MIB, 10**15, "much", None):
        with pytest.raises(ValueError, match="no believable need"):
            question.outcome({"needs": lie}, host.folder)
