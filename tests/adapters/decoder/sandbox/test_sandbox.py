"""The decoder's process: what it answers."""

from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline.recipes import GALLFORMERS
from media_jobs.pipeline.values import Request
from tests import images
from tests.adapters.decoder.running import Ask


def test_a_render_reports_each_output_and_calls_the_heartbeat_meanwhile(ask: Ask, tmp_path: Path) -> None:
    outputs: list[tuple[int, int]] = []
    heartbeats: list[None] = []
    rendered = ask(
        images.jpeg(3000, 2000),
        heartbeat=lambda: heartbeats.append(None),
        on_output=lambda done, of: outputs.append((done, of)),
    )
    assert outputs == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert heartbeats
    assert [(tmp_path / o.file).stat().st_size for o in rendered.outputs] == [o.size_bytes for o in rendered.outputs]


def test_one_child_serves_many(ask: Ask, sandbox: Sandbox) -> None:
    assert sandbox.pid is None
    ask(images.jpeg())
    first = sandbox.pid
    ask(images.png())
    assert sandbox.pid == first is not None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", errors.UnsupportedFormat),
        (images.jpeg_bomb(), errors.TooManyPixels),
        (images.png_bomb(), errors.TooManyPixels),
        (images.cut(images.png()), errors.Truncated),
        (images.damaged(images.png()), errors.Undecodable),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_refusal_arrives_as_itself_and_spares_the_child(
    ask: Ask, sandbox: Sandbox, data: bytes, kind: type[errors.ImageRefused]
) -> None:
    ask(images.jpeg())
    child = sandbox.pid
    with pytest.raises(kind) as refused:
        ask(data)
    assert str(refused.value)
    assert sandbox.pid == child


def test_a_folder_that_is_not_there_is_not_the_files_fault(tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "source").write_bytes(images.jpeg())
    request = Request(str(tmp_path / "source"), "/nonexistent/folder", "0" * 64, GALLFORMERS)
    with pytest.raises(errors.WorkspaceUnavailable):
        sandbox.render(request, timeout_s=60, heartbeat=lambda: None, on_output=lambda done, of: None)


@pytest.mark.parametrize("content", [b"\xff\xd8\xff nothing more", None])
def test_no_picture_is_blamed_while_files_cannot_be_written(tmp_path, monkeypatch, content):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "source").write_bytes(content or images.jpeg())
    request = Request(str(tmp_path / "source"), str(tmp_path), "0" * 64, GALLFORMERS)
    sandbox = Sandbox(768 * 1_048_576, tmp_path)
    try:
        sandbox.start()
        monkeypatch.setattr("tempfile.TemporaryFile", refuse)
        if content is None:  # what was made cannot be copied
            monkeypatch.setattr("media_jobs.adapters.decoder.questions.collect", refuse)
        with pytest.raises(errors.WorkspaceUnavailable):
            sandbox.render(request, timeout_s=60, heartbeat=lambda: None, on_output=lambda *_: None)
        monkeypatch.undo()
        if content:
            with pytest.raises(errors.ImageRefused):
                sandbox.render(request, timeout_s=60, heartbeat=lambda: None, on_output=lambda *_: None)
    finally:
        sandbox.close()
