"""Originals that have never been rendered, as an import leaves them. Called in a process of Django's shell."""

import io
import random

from PIL import Image

from tests.factories import make_original


def make(first: int, count: int, *, bad: int, owner: str) -> None:
    """Store so many small pictures of `owner`, of which the first `bad` are none. first: the number of the first one;
    each number has another picture."""
    for number in range(first, first + count):
        broken = number < first + bad
        make_original(b"\xff\xd8\xff\xe0 not a picture" if broken else _picture(number), owner=owner)


def _picture(number: int) -> bytes:
    noise = random.Random(number).randbytes(96 * 64 * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (96, 64), noise).resize((360, 240)).save(buffer, "JPEG")
    return buffer.getvalue()
