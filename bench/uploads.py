"""A client that costs little: `python -m bench.uploads URL FILE COUNT CONNECTIONS` uploads a picture again and again.

To the path of the URL, or to /v1/images. Each time with another comment in it, so that no two have the same bytes.
"""

import http.client
import sys
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

_BOUNDARY = "bench"
_HEAD = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode()
_FIELD = b"--" + _BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()
_CHUNK_BYTES = 65_536
_TIMEOUT_S = 600  #: some answer when the work is done, and take seconds for it
_TAKEN = (http.client.OK, http.client.CREATED, http.client.ACCEPTED)


def main(url: str, file: str, count: str, connections: str) -> None:
    jpeg, share = Path(file).read_bytes(), int(count) // int(connections)
    with ThreadPoolExecutor(int(connections)) as pool:
        list(pool.map(lambda _: _send(url, jpeg, share), range(int(connections))))


def _send(url: str, jpeg: bytes, count: int) -> None:
    """Raises RuntimeError unless each is accepted."""
    path = urlsplit(url).path or "/v1/images"
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_S)) as connection:
        for _ in range(count):
            post(connection, with_comment(jpeg, uuid.uuid4().bytes), path)


def post(
    connection: http.client.HTTPConnection,
    picture: bytes,
    path: str = "/v1/images",
    fields: Mapping[str, str] | None = None,
) -> int:
    """Return the status. Raises RuntimeError unless it is accepted, or done."""
    status, said = posted(connection, picture, path, fields)
    if status not in _TAKEN:
        raise RuntimeError(f"{status}: {said!r}")
    return status


def posted(
    connection: http.client.HTTPConnection,
    picture: bytes,
    path: str = "/v1/images",
    fields: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Return the status and what the answer says."""
    head = b"".join(_FIELD % (name.encode(), value.encode()) for name, value in (fields or {}).items()) + _HEAD
    headers = {
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        "Content-Length": str(len(head) + len(picture) + len(_TAIL)),
    }
    connection.request("POST", path, _chunks(head, picture), headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def with_comment(jpeg: bytes, comment: bytes) -> bytes:
    """Behind the first marker, where libjpeg reads over it."""
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def _chunks(head: bytes, picture: bytes) -> Iterator[bytes]:
    yield head
    for start in range(0, len(picture), _CHUNK_BYTES):
        yield picture[start : start + _CHUNK_BYTES]
    yield _TAIL


if __name__ == "__main__":
    main(*sys.argv[1:])
