"""The table names all that can be asked of S3, and every fault that there is."""

from collections.abc import Callable
from pathlib import Path

from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.storage.s3 import S3Store
from media_jobs.ports import ObjectStore, Outgoing
from tests.faults.injections import Fault
from tests.faults.matrix import CALLS, cells
from tests.faults.scenarios import LARGE, PICTURE, Context

KEY = "originals/0.jpg"


def test_every_call_that_the_store_makes_has_a_row(context: Context, tmp_path: Path) -> None:
    s3 = store(Role.WORKER)
    assert isinstance(s3, S3Store)
    asked: set[str] = set()

    def hear(model: "object", **_: object) -> None:
        asked.add(model.name)  # type: ignore[attr-defined]

    s3.client.meta.events.register("before-call.s3", hear)
    for do in _all_of_it(s3, tmp_path).values():
        do()
    s3.client.meta.events.unregister("before-call.s3", hear)
    assert asked == {call.operation for call in CALLS.values()}


def _all_of_it(s3: S3Store, tmp_path: Path) -> dict[str, Callable[[], object]]:
    """Each method of the port, in an order in which all of them have something to do."""
    (source := tmp_path / "source").write_bytes(PICTURE)

    def begin() -> None:
        for content in (PICTURE, LARGE):
            for end in ("commit", "abort"):
                writer = s3.begin(KEY, content_type="image/jpeg")
                writer.write(content)
                getattr(writer, end)()

    def sweep() -> int:
        s3.client.create_multipart_upload(Bucket=s3.bucket, Key=KEY)
        return s3.sweep(older_than_s=0)

    steps: dict[str, Callable[[], object]] = {
        "begin": begin,
        "put": lambda: s3.put([Outgoing("full/0.jpg", source, "image/jpeg")]),
        "fetch": lambda: s3.fetch(KEY, tmp_path / "fetched"),
        "open": lambda: s3.open(KEY).close(),
        "exists": lambda: s3.exists(KEY),
        "keys": lambda: list(s3.keys()),
        "objects": lambda: list(s3.objects()),
        "delete": lambda: s3.delete(KEY),
        "unfinished": s3.unfinished,
        "sweep": sweep,
        "url": lambda: s3.url(KEY),
        "signed_url": lambda: s3.signed_url(KEY, filename="a.jpg", content_type="image/jpeg", expires_s=60),
        "form": lambda: s3.form(KEY, content_type="image/jpeg", least_bytes=1, most_bytes=9, expires_s=60),
        "check": s3.check,
        "check_room": s3.check_room,
    }
    assert steps.keys() == {name for name in vars(ObjectStore) if not name.startswith("_")}, "the port has changed"
    return steps


def test_every_fault_has_a_column_with_an_entry() -> None:
    assert {cell.fault for cell in cells()} == set(Fault)
