"""What it costs to pass an upload on to S3: time against a bare `put_object`, and memory of the web process."""

import http.client
import itertools
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from bench.builds import SETTINGS
from bench.measure import MIB, Pairs, Spread
from bench.rows import Row
from bench.slow_proxy import slowed
from tests.e2e.service import Service
from tests.e2e.stores import s3_settings
from tests.servers.seaweed import SeaweedFS, seaweedfs

_FILE_BYTES = 10_000_000
_TARGET = 1.25
_UPLOADS, _UPLOAD_BYTES = 30, 30_000_000
_TARGET_MB = 16
_SLOW_MB_S = 40
_CHUNK_BYTES = 65_536
_BOUNDARY = "bench"
_HEAD = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()
#: What a JPEG begins with; nothing looks any farther here.
_JPEG = b"\xff\xd8\xff\xe0"


def rows(rounds: int) -> Iterator[Row]:
    with seaweedfs() as seaweed, tempfile.TemporaryDirectory(prefix="gallimg-bench-") as folder:
        with _web(seaweed, seaweed.endpoint_url, Path(folder) / "fast") as service:
            pairs = _paired(seaweed, service, 2 * rounds)
            note = pairs.in_ms("put_object", "upload")
            what = "POST /v1/images on S3, as long as put_object of the same file"
            yield Row("storage", what, "10 MB", "×", pairs.ratios, _TARGET, at_most=True, note=note)
            yield _memory(service, "")
        slow = slowed(seaweed.endpoint_url, _SLOW_MB_S * 1_000_000)
        with slow as endpoint_url, _web(seaweed, endpoint_url, Path(folder) / "slow") as service:
            yield _memory(service, f", S3 at {_SLOW_MB_S} MB/s")


def _paired(seaweed: SeaweedFS, service: Service, rounds: int) -> Pairs:
    """Seconds of both, in turn, after a warm-up."""
    content = _JPEG + secrets.token_bytes(_FILE_BYTES - len(_JPEG))
    key, secret = seaweed.web
    client = boto3.client(
        "s3",
        endpoint_url=seaweed.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": "path"}),
    )

    def put(number: int) -> float:
        started_s = time.perf_counter()
        client.put_object(Bucket=seaweed.bucket, Key=f"originals/bench-{number}.jpg", Body=content)
        return time.perf_counter() - started_s

    def upload() -> float:
        started_s = time.perf_counter()
        _upload(service, _FILE_BYTES, [content])
        return time.perf_counter() - started_s

    with closing(client):
        return Pairs([(put(number), upload()) for number in range(rounds + 2)][2:])


def _memory(service: Service, where: str) -> Row:
    """The highest that resident memory rises by: the kernel keeps that peak, of PSS it keeps none."""
    _at_once(service, _CHUNK_BYTES)  # threads, connections, what is loaded on first use
    (web,) = service.pids("web")
    before_bytes = _resident_bytes(web, "VmRSS")
    Path(f"/proc/{web}/clear_refs").write_text("5")  # count the peak anew
    started_s = time.perf_counter()
    _at_once(service, _UPLOAD_BYTES)
    took_s = time.perf_counter() - started_s
    risen = Spread.of([(_resident_bytes(web, "VmHWM") - before_bytes) / MIB])
    note = f"from {before_bytes / MIB:.0f} MB; {took_s:.0f} s"
    what = f"web process during {_UPLOADS} uploads at once{where}, above before"
    return Row("storage", what, "30 MB each", "MB", risen, _TARGET_MB, at_most=True, note=note)


@contextmanager
def _web(seaweed: SeaweedFS, endpoint_url: str, data: Path) -> Iterator[Service]:
    """A web process that may only write, without workers."""
    settings = {
        **SETTINGS,
        **s3_settings(seaweed),
        "S3_ENDPOINT": endpoint_url,
        "WORKERS": "0",
    }
    service = Service(data, settings)
    try:
        yield service.start()
    finally:
        service.kill()


def _upload(service: Service, size_bytes: int, content: Iterable[bytes]) -> None:
    """Upload by a client that costs as little as it can. Raises RuntimeError unless it is accepted."""
    headers = {
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        "Content-Length": str(len(_HEAD) + size_bytes + len(_TAIL)),
    }
    with closing(http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=300)) as connection:
        connection.request("POST", "/v1/images", itertools.chain([_HEAD], content, [_TAIL]), headers)
        answer = connection.getresponse()
        if answer.status != http.client.ACCEPTED:
            raise RuntimeError(f"{answer.status}: {answer.read()!r}")


def _at_once(service: Service, size_bytes: int) -> None:
    chunk = secrets.token_bytes(_CHUNK_BYTES)
    content = [_JPEG, *(chunk[: size_bytes - start] for start in range(len(_JPEG), size_bytes, _CHUNK_BYTES))]
    with ThreadPoolExecutor(_UPLOADS) as clients:
        list(clients.map(lambda _: _upload(service, size_bytes, content), range(_UPLOADS)))


def _resident_bytes(pid: int, which: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(which))
