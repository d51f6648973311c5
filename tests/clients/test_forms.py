"""What the client makes of a file: a form that is read while it is sent, and never whole in memory."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from gallimg_client import Client, ProblemError, Unreachable

from tests.clients.scripted import BROKEN, accepted, problem, scripted


class Pipe(io.RawIOBase):
    """A file that is read once, from the front; as what comes from a network or another process."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.reads = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.reads += 1
        piece = next(self._pieces, b"")
        buffer[: len(piece)] = piece
        return len(piece)


def test_a_path_is_sent_under_its_name_with_the_fields_in_the_words_of_the_service(tmp_path: Path) -> None:
    path = tmp_path / 'a "gall"\né.jpg'
    path.write_bytes(b"pixels")
    with scripted(accepted()) as service, Client(service.url) as gallimg:
        gallimg.upload(path, preset="ingest", tags=["oak", "gall"], preserveGps=True, focus=(0.5, 0.25), rotation=90)
    body = service.asked[0].body.decode()
    assert 'name="file"; filename="a %22gall%22%0Aé.jpg"' in body
    assert body.count("pixels") == 1
    sent = {"preset": "ingest", "tags": "oak,gall", "preserveGps": "true", "focus": "0.5,0.25", "rotation": "90"}
    for name, value in sent.items():
        assert f'name="{name}"\r\n\r\n{value}\r\n' in body
    assert int(service.asked[0].headers["Content-Length"]) == len(service.asked[0].body)


def test_progress_counts_the_bytes_of_the_file_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "gall.jpg"
    path.write_bytes(b"skipped" + bytes(200_000))
    heard: list[tuple[int, int | None]] = []
    with scripted(accepted()) as service, Client(service.url) as gallimg, path.open("rb") as file:
        file.seek(7)
        gallimg.upload(file, progress=lambda sent, total: heard.append((sent, total)))
        assert not file.closed
    assert heard == [(sent, 200_000) for sent in (0, 65_536, 131_072, 196_608, 200_000)]
    assert b"skipped" not in service.asked[0].body


def test_a_file_is_sent_again_from_where_it_stood(pauses: list[float]) -> None:
    file, heard = io.BytesIO(b"skipped" + b"pixels"), []
    file.seek(7)
    with scripted(BROKEN, accepted()) as service, Client(service.url) as gallimg:
        gallimg.upload(file, name="gall.jpg", progress=lambda sent, _: heard.append(sent))
    assert heard == [0, 6, 0, 6]
    assert all(b"\r\n\r\npixels\r\n" in asked.body for asked in service.asked)


def test_what_cannot_be_rewound_is_sent_in_chunks_and_once(pauses: list[float]) -> None:
    heard: list[tuple[int, int | None]] = []
    with scripted(accepted()) as service, Client(service.url) as gallimg:
        gallimg.upload(Pipe([b"pix", b"els"]), progress=lambda *told: heard.append(told))  # type: ignore[arg-type]
    assert b"\r\n\r\npixels\r\n" in service.asked[0].body
    assert heard == [(0, None), (3, None), (6, None)]
    for passing, error in ((BROKEN, Unreachable), (problem(503, "backlog_full", Retry_After="1"), ProblemError)):
        with scripted(passing) as service, Client(service.url) as gallimg, pytest.raises(error):
            gallimg.upload(Pipe([b"pixels"]))  # type: ignore[arg-type]
    assert pauses == []


def test_a_file_that_shrinks_while_it_is_sent_is_an_error_of_ours() -> None:
    file = io.BytesIO(bytes(100_000))
    with (
        scripted(BROKEN) as service,
        Client(service.url) as gallimg,
        pytest.raises(ValueError, match="has become shorter"),
    ):
        gallimg.upload(file, progress=lambda sent, _: file.truncate(70_000) if sent else None)


def test_whoever_is_told_of_progress_may_stop_the_upload() -> None:
    def stop(sent: int, _: int | None) -> None:
        if sent:
            raise KeyboardInterrupt

    with scripted(BROKEN) as service, Client(service.url) as gallimg, pytest.raises(KeyboardInterrupt):
        gallimg.upload(bytes(100_000), progress=stop)
