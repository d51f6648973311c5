"""A client that costs little: `python -m bench.uploads URL FILE COUNT CONNECTIONS` uploads a picture again and again.

Each time with another comment in it, so that no two uploads have the same bytes.
"""

import http.client
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

_BOUNDARY = "bench"
_HEAD = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()
_CHUNK_BYTES = 65_536


def main(url: str, file: str, count: str, connections: str) -> None:
    jpeg, share = Path(file).read_bytes(), int(count) // int(connections)
    with ThreadPoolExecutor(int(connections)) as pool:
        list(pool.map(lambda _: _send(url, jpeg, share), range(int(connections))))


def _send(url: str, jpeg: bytes, count: int) -> None:
    """Raises RuntimeError unless each is accepted."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)) as connection:
        for _ in range(count):
            post(connection, with_comment(jpeg, uuid.uuid4().bytes))


def post(connection: http.client.HTTPConnection, picture: bytes) -> None:
    """Raises RuntimeError unless it is accepted."""
    headers = {
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        "Content-Length": str(len(_HEAD) + len(picture) + len(_TAIL)),
    }
    connection.request("POST", "/v1/images", _chunks(picture), headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != http.client.ACCEPTED:
        raise RuntimeError(f"{answer.status}: {said!r}")


def with_comment(jpeg: bytes, comment: bytes) -> bytes:
    """Behind the first marker, where libjpeg reads over it."""
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def _chunks(picture: bytes) -> Iterator[bytes]:
    yield _HEAD
    for start in range(0, len(picture), _CHUNK_BYTES):
        yield picture[start : start + _CHUNK_BYTES]
    yield _TAIL


if __name__ == "__main__":
    main(*sys.argv[1:])
