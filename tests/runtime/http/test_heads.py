"""What a request's first bytes tell."""

import pytest

from media_jobs.runtime.http import heads
from media_jobs.runtime.http.heads import Head


@pytest.mark.parametrize(
    ("arrived", "body_bytes", "path"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", 0, b"/healthz"),
        (b"HEAD /readyz?x=1 HTTP/1.0\r\nHost: x\r\n\r\n", 0, b"/readyz"),
        (b"\r\nGET /metrics HTTP/1.1\r\n\r\n", 0, b"/metrics"),
        (b"POST /healthz HTTP/1.1\r\nContent-Length: 7\r\n\r\n", 7, b""),
        (b"POST / HTTP/1.1\r\nX: content-length: 9\r\n\r\n", 0, b""),
        (b"POST / HTTP/1.1\r\nContent-Length: 7\r\ntransfer-encoding: chunked\r\n\r\n", 7, b""),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n", 10**18 - 1, b""),
    ],
)
def test_length_and_path_are_found(arrived, body_bytes, path):
    assert heads.look(arrived) == Head(len(arrived), body_bytes, expects_continue=False, path=path)


@pytest.mark.parametrize(
    ("codings", "is_awaited"),
    [
        (b"Transfer-Encoding: chunked\r\n", True),
        (b"Transfer-Encoding:\tGzip , CHUNKED \r\n", True),
        (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", True),
        (b"Transfer-Encoding: gzip\r\n", False),
        (b"Transfer-Encoding: chunked, gzip\r\nContent-Length: 7\r\n", False),
        (b"Transfer-Encoding: cake, chunked\r\n", False),
        (b"Transfer-Encoding:\r\n", False),
    ],
)
def test_a_body_is_awaited_only_where_something_tells_its_end(codings, is_awaited):
    arrived = b"POST / HTTP/1.1\r\n" + codings + b"\r\n"
    head = heads.look(arrived)
    assert head
    assert head.has_whole_body(arrived) is not is_awaited


@pytest.mark.parametrize("arrived", [b"", b"GET", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nA: b\r"])
def test_a_head_that_is_not_whole_is_none(arrived):
    assert heads.look(arrived) is None


def test_a_bare_line_feed_is_not_waited_behind():
    assert heads.look(b"GET / HTTP/1.1\nHost: x\n") is not None


@pytest.mark.parametrize(
    ("arrived", "path"),
    [
        (b"POST /instructions?x HTTP/1.1\r\n", "/instructions"),
        (b"\r\nPATCH /a%20b/\xff HTTP/1.1\r\nX", "/a b/\ufffd"),
        (b"GET http://host:80/files HTTP/1.1\r\n", "/files"),
        (b"POST /instruc", ""),
        (b"OPTIONS * HTTP/1.1\r\n", ""),
        (b"", ""),
    ],
)
def test_the_path_is_known_once_the_request_line_has_arrived(arrived, path):
    assert heads.path_of(arrived) == path


def test_other_protocols_are_told_by_their_first_byte():
    assert heads.is_other_protocol(b"\x16\x03")
    assert not heads.is_other_protocol(b"\r\nGET")
    assert not heads.is_other_protocol(b"")
