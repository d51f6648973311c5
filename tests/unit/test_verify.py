"""A decoder that was taken over cannot have anything published but what it was asked to make."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from media_jobs.pipeline.recipes import Preset, Rendition
from media_jobs.pipeline.values import Output, Rendered, Request
from media_jobs.pipeline.verify import verify

THUMB = Rendition("thumb", 200)
CONTENT = b"a derivative"


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    return Request(str(tmp_path / "source"), str(tmp_path), "a" * 64, Preset("p", (THUMB,)))


@pytest.fixture
def honest(request_: Request) -> Rendered:
    (Path(request_.into) / "thumb.jpg").write_bytes(CONTENT)
    output = Output(
        "thumb",
        "thumb.jpg",
        THUMB.digest(source_sha256="a" * 64, engine="e"),
        200,
        150,
        len(CONTENT),
        hashlib.sha256(CONTENT).hexdigest(),
        "image/jpeg",
    )
    return Rendered("jpeg", 400, 300, 1, {}, (output,), "e")


def test_an_honest_answer_passes(honest, request_):
    verify(honest, request_)


@pytest.mark.parametrize(
    "lie",
    [
        {"file": "../secret_key"},
        {"file": "/etc/passwd"},
        {"name": "full"},
        {"digest": "0" * 32},
        {"content_type": "text/html"},
        {"size_bytes": 1},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_lie_about_an_output_is_found(honest, request_, lie):
    with pytest.raises(ValueError, match=r"asked for|plain file"):
        verify(replace(honest, outputs=(replace(honest.outputs[0], **lie),)), request_)


def test_outputs_that_are_missing_or_too_many_are_found(honest, request_):
    for outputs in ((), honest.outputs * 2):
        with pytest.raises(ValueError, match="asked for"):
            verify(replace(honest, outputs=outputs), request_)


@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_a_link_to_another_file_is_found(honest, request_, tmp_path, link):
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)  # of the same size, even
    (tmp_path / "thumb.jpg").unlink()
    link(secret, tmp_path / "thumb.jpg")
    with pytest.raises(ValueError, match="plain file"):
        verify(honest, request_)
