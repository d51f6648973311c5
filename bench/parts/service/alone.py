"""One picture on a service that does nothing else, and as many as one service makes: `python -m bench service`."""

import http.client
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

from bench.measure import Spread
from bench.pictures import TWELVE
from bench.rows import Row
from bench.services import start
from bench.services.contender import Contender, Load
from bench.uploads import post, with_comment
from tests.e2e.service import Service
from tests.e2e.stores import s3_settings
from tests.servers.seaweed import seaweedfs

_ROUNDS = 3
_PICTURES = 8
_DONE_TARGET_MS = 600.0
#: After so long the decoders have ended; they are started again.
_REST_S = 16.0
_LOAD = Load(TWELVE, 48)
_PER_MINUTE = 300.0
_PICTURE = f"{TWELVE.name}, 10 MB"
#: Of the document that describes Ingestion: 300 and 1920 px, in the quality of its example.
_INGESTION = "ingestion"
_MAKE_PRESET = (
    "from media_jobs.models import Preset; "
    f"made = Preset.objects.create(name={_INGESTION!r}, current=True).renditions; "
    "[made.create(name=name, side_px=side, fit='width', format='jpeg', quality=85)"
    " for name, side in (('small', 300), ('web', 1920))]"
)
_GO = "the document says 100 ms in Go; Go with imaging took 823 ms on such a core"


@dataclass(frozen=True, slots=True)
class Taken:
    """Of some uploads, one after the other: how long each took until done, and the processor time of all for each."""

    ms: list[float]
    cpu_ms: float


def rows(rounds: int) -> Iterator[Row]:
    rounds = min(rounds, _ROUNDS)
    with start.ours() as (contender, service):
        _one_by_one(contender, service)
        taken = _one_by_one(contender, service)
        yield _until_done("upload to done, idle service", taken)
        rested = [_rested(contender, service) for _ in range(rounds)]
        ms, cpu_ms = [one.ms[0] for one in rested], median(one.cpu_ms for one in rested)
        yield _until_done(f"upload to done, after a rest of {_REST_S:g} s", Taken(ms, cpu_ms))
        per_minute = Spread.of([60 * contender.take(_LOAD).pictures_s for _ in range(rounds)])
        what = "pictures a minute of one instance, while they are uploaded"
        yield Row(
            "service", what, _PICTURE, "/min", per_minute, _PER_MINUTE, note=f"{_LOAD.count} in a row, two workers"
        )
        yield from _ingestion("files", contender, service)
    with seaweedfs() as seaweed, start.ours(s3_settings(seaweed)) as (contender, service):
        yield from _ingestion("S3 on loopback", contender, service)


def _until_done(what: str, taken: Taken) -> Row:
    note = f"processor time {taken.cpu_ms:.0f} ms"
    return Row("service", what, _PICTURE, "ms", Spread.of(taken.ms), _DONE_TARGET_MS, at_most=True, note=note)


def _ingestion(stored: str, contender: Contender, service: Service) -> Iterator[Row]:
    service.manage("shell", "--no-imports", "-c", _MAKE_PRESET)
    fields = {"preset": _INGESTION}
    _one_by_one(contender, service, fields)
    taken = _one_by_one(contender, service, fields)
    what = f"Ingestion's benchmark: JPEG to 300 and 1920 px, EXIF, stored in {stored}"
    yield Row("service", f"{what}: processor time", _PICTURE, "ms", Spread.of([taken.cpu_ms]), note=_GO)
    yield Row("service", f"{what}: until done", _PICTURE, "ms", Spread.of(taken.ms))


def _rested(contender: Contender, service: Service) -> Taken:
    time.sleep(_REST_S)
    return _one_by_one(contender, service, count=1)


def _one_by_one(
    contender: Contender, service: Service, fields: Mapping[str, str] | None = None, *, count: int = _PICTURES
) -> Taken:
    """Raises RuntimeError unless each is done with its answer."""
    jpeg, took_ms, before_s = TWELVE.file().read_bytes(), [], contender.cpu_s()
    with closing(http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=60)) as connection:
        for _ in range(count):
            picture = with_comment(jpeg, uuid.uuid4().bytes)
            began_s = time.perf_counter()
            if post(connection, picture, "/v1/images?wait=30", fields) != http.client.OK:
                raise RuntimeError("a picture was not done within 30 s")
            took_ms.append(1000 * (time.perf_counter() - began_s))
    return Taken(took_ms, 1000 * (contender.cpu_s() - before_s) / count)
