"""What the event loop takes for a whole request makes no thread wait: gunicorn's parser asks for no more of it."""

import random
from collections.abc import Iterator

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from media_jobs.runtime.http import chunks, heads
from media_jobs.runtime.http.chunks import ChunkedBody

CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
_LINES = (
    b"Host: x\r\n",
    b"Content-Length: 5\r\n",
    b"content-length:\t7 \r\n",
    b"Content-Length : 5\r\n",
    b"Content-Length: 1%b\r\n" % (b"0" * 20),
    b" folded\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"TRANSFER-ENCODING:gzip, chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Transfer-Encoding: chunked,\tidentity\r\n",
    b"Transfer-Encoding: cake ,chunked\r\n",
)
_PIECES = [b"\r\n", b"\n", b"\r", b"0", b"5", b"a", b"1000", b";", b"x=y", b" ", b"\t", b":", b"-", b"\0", b"\xff"]
_PIECES += [b"5\r\nabcde\r\n", b"0\r\n\r\n", b"0\r\nT: v\r\n\r\n", b"GET / HTTP/1.1\r\n", *_LINES]
_METHODS = (b"POST / HTTP/1.1\r\n", b"\r\nGET / HTTP/1.1\r\n", b"PUT / HTTP/1.0\r\n", b"")


class MoreIsWanted(Exception):
    """A thread would wait now."""


def read_with_gunicorn(arrived: bytes) -> bytes:
    """The body of the request. Raises MoreIsWanted, ParseException."""

    def source() -> Iterator[bytes]:
        yield arrived
        raise MoreIsWanted

    request = next(RequestParser(Config(), source(), ("127.0.0.1", 1)))
    body: bytes = request.body.read()
    return body


def requests(seed: int) -> Iterator[bytes]:
    """Good ones and, mostly, bad ones."""
    chance = random.Random(seed)
    for _ in range(3000):
        head = chance.choice(_METHODS) + b"".join(chance.choices(_LINES, k=chance.randrange(3))) + b"\r\n"
        start = chance.choice([CHUNKED, CHUNKED, head, b""])
        made = start + b"".join(chance.choices(_PIECES, k=chance.randrange(9)))
        if chance.random() < 0.3 and made:
            at = chance.randrange(len(made))
            made = made[:at] + bytes([chance.choice(b"\r\n05;: x\t")]) + made[at + chance.randrange(2) :]
        yield made


@pytest.mark.parametrize("seed", range(4))
def test_no_thread_waits_for_more_of_a_request_that_is_whole(seed):
    whole = 0
    for arrived in requests(seed):
        head = heads.look(arrived)
        if head and head.has_whole_body(arrived) and not heads.is_other_protocol(arrived):
            whole += 1
            try:
                read_with_gunicorn(arrived)
            except ParseException:
                pass
            except MoreIsWanted:
                pytest.fail(repr(arrived))
    assert whole > 1000


@pytest.mark.parametrize(
    "body",
    [
        b"0\r\n\r\n",
        b"5\r\nabcde\r\n0\r\n\r\n",
        b"A;name=value\r\n0123\r\n\r\n89\r\n00\r\nDigest: x\r\n\r\n",
        b"4\r\n\r\n\r\n\r\n1\r\nx\r\n0 ;x\r\nA: b\r\nC: d\r\n\r\n",
    ],
)
def test_a_chunked_body_is_whole_with_its_last_byte_however_it_comes(body):
    read_with_gunicorn(CHUNKED + body)
    for step in (1, 3, 1000):
        follower, arrived = ChunkedBody(len(CHUNKED)), bytearray(CHUNKED)
        for at in range(0, len(body), step):
            assert not follower.is_over(arrived)
            arrived += body[at : at + step]
        assert follower.is_over(arrived)


@pytest.mark.parametrize("body", [b"zz\r\n", b"\r\n", b"-1\r\n", b"2\r\nabcd", b"0\r\nbad\n", b"1" * 9000])
def test_a_malformed_body_is_not_waited_behind(body):
    assert ChunkedBody(0).is_over(body)
    with pytest.raises(ParseException):
        read_with_gunicorn(CHUNKED + body)


def test_a_body_in_very_many_pieces_is_left_to_a_thread(monkeypatch):
    monkeypatch.setattr(chunks, "_MOST_CHUNKS", 100)
    assert ChunkedBody(0).is_over(b"1\r\nx\r\n" * 99 + b"0\r\n\r\n")
    assert not ChunkedBody(0).is_over(b"1\r\nx\r\n" * 100 + b"0\r\n\r\n")
