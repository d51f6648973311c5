"""The services that ours is compared with do the same work: an upload is stored, and made in four sizes, upright."""

import http.client
import io
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from functools import partial
from urllib.parse import urlsplit

import pytest
from PIL import Image

from bench.services import start
from bench.services.contender import Contender
from bench.uploads import post

#: Of a picture of 2560 × 1920 px that lies on its side.
SIZES_PX = [(200, 200), (384, 512), (768, 1024), (1536, 2048)]
ORIENTATION, LEFT = 0x0112, 6
IN_NODE = pytest.mark.skipif(not shutil.which("npm"), reason="needs Node 20.9 or newer with npm: apt-get install npm")


def lying() -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = LEFT
    file = io.BytesIO()
    Image.new("RGB", (2560, 1920), "green").save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(
    "started",
    [
        start.plain_django,
        partial(start.plain_django, shrinks_in_place=True),
        pytest.param(partial(start.in_node, "sharp"), marks=IN_NODE),
        pytest.param(partial(start.in_node, "Jimp"), marks=IN_NODE),
    ],
    ids=["Django", "Django, in place", "sharp", "Jimp"],
)
def test_a_peer_stores_the_original_and_four_sizes(started: Callable[[], AbstractContextManager[Contender]]):
    original = lying()
    with started() as peer:
        address = urlsplit(peer.uploads)
        with closing(http.client.HTTPConnection(address.netloc, timeout=120)) as connection:
            post(connection, original, address.path)
        peer.wait_until_done()
        assert peer.cpu_s() > 0
        files = [path.read_bytes() for path in peer.folder.rglob("*.jpg")]
    assert files.count(original) == 1
    assert sorted(Image.open(io.BytesIO(file)).size for file in files if file != original) == SIZES_PX
