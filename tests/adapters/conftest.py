"""What the tests of the adapters may use: a decoder's process, and an object store of each kind."""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from media_jobs.adapters import throttle
from media_jobs.adapters.decoder import starting, template
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline.recipes import GALLFORMERS, Preset
from media_jobs.pipeline.values import Limits, Rendered, Request
from media_jobs.ports import ObjectStore
from tests import images
from tests.adapters.decoder.running import MEMORY_BYTES, ROOT, Ask
from tests.adapters.storage.s3.route import Route
from tests.adapters.storage.stores import Subject, from_django, from_the_net, s3_store
from tests.servers.seaweed import SeaweedFS

LIMITS = Limits()
ENTRY = """
import json
import sys
sys.path.insert(0, {root!r})
from media_jobs.pipeline.child import loop, template
main = loop.main
def altered(**arguments):
{lines}
    main(**arguments)
loop.main = altered
template.begin(json.loads(sys.argv[1]))
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    box = Sandbox(MEMORY_BYTES, tmp_path)
    yield box
    box.close()


@pytest.fixture
def ask(tmp_path: Path, sandbox: Sandbox) -> Ask:
    def run(
        data: bytes,
        preset: Preset = GALLFORMERS,
        *,
        limits: Limits = LIMITS,
        timeout_s: float = 120,
        heartbeat: Callable[[], None] = lambda: None,
        on_output: Callable[[int, int], None] = lambda done, of: None,
    ) -> Rendered:
        (tmp_path / "source").write_bytes(data)
        request = Request(str(tmp_path / "source"), str(tmp_path), "0" * 64, preset, limits)
        return sandbox.render(request, timeout_s=timeout_s, heartbeat=heartbeat, on_output=on_output)

    return run


@pytest.fixture
def altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Have children run these lines of Python just before their loop, from now on."""

    def alter(lines: str) -> None:
        entry = tmp_path / "entry.py"
        entry.write_text(ENTRY.format(root=str(ROOT), lines=textwrap.indent(textwrap.dedent(lines), "    ")))
        monkeypatch.setattr(starting, "ENTRY", entry)

    yield alter
    template.close()


@pytest.fixture(scope="module")
def large() -> bytes:
    return images.jpeg(6000, 4000)


@pytest.fixture(params=["files", "s3"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "files":
        yield Subject(request.getfixturevalue("object_store"), from_django, uuid4().hex)
        return
    store = s3_store(request.getfixturevalue("seaweed"))
    yield Subject(store, from_the_net, uuid4().hex)
    store.sweep(older_than_s=0)
    store.client.close()


@pytest.fixture
def store(subject: Subject) -> ObjectStore:
    return subject.store


@pytest.fixture
def key(subject: Subject) -> str:
    return f"full/{subject.spot}/a.jpg"


@pytest.fixture
def route(seaweed: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> Iterator[Route]:
    """A route to S3 through a proxy, with frequent heartbeats."""
    monkeypatch.setattr(throttle, "INTERVAL_S", 0.02)
    made = Route(seaweed)
    yield made
    made.close()
