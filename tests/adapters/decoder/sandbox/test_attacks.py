"""A decoder that was taken over: what it tries against its parent, its pictures and the machine comes to nothing."""

import json
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from media_jobs import errors
from media_jobs.adapters.decoder import process
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline.child import landlock
from media_jobs.pipeline.recipes import Preset, Rendition
from tests import images
from tests.adapters.decoder.running import LINUX, Ask

PHOTO = images.jpeg(64, 48)
#: Its request is longer than a page of memory, which is the least that a pipe holds.
LONG = Preset("long", tuple(Rendition(f"r{n}", 16 + n) for n in range(40)))

#: `attack(request, on_output)` instead of rendering; `render` does that; `answer` writes past the loop.
TAKEN_OVER = """
import fcntl, os, sys, threading, time
from dataclasses import replace
from pathlib import Path
from media_jobs.pipeline import render as module
pipe = os.dup(1)
render = module.render
def answer(text):
    os.write(pipe, text.encode() + b"\\n")
def attack(request, on_output):
{lines}
module.render = lambda request, on_output: attack(request, on_output)
"""


@pytest.fixture
def taken_over(altered: Callable[[str], None]) -> Callable[[str], None]:
    return lambda lines: altered(TAKEN_OVER.format(lines=textwrap.indent(textwrap.dedent(lines), "    ")))


HONEST = {
    "format": "jpeg", "width_px": 1, "height_px": 1, "orientation": 1, "metadata": {}, "engine": "e", "outputs": [],
    "rights": {}, "receipt": {"found": [], "kept": [], "dropped": [], "outputs": {}},
    "placeholder": {"uri": "", "colour": ""},
}  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        *("5", "null", "[]", '"refused"', "{}", "NaN", "[" * 100_000, "1" * 5000, "\\ud800", "}{"),
        *('{"output": 1}', '{"output": [2, 4]}', '{"output": {"1": 4}}', '{"output": [1]}'),
        *('{"refused": []}', '{"refused": {"code": [], "sentence": ""}}', '{"refused": {"code": "undecodable"}}'),
        *('{"failed": {}}', '{"done": 5}', '{"done": {}}'),
        json.dumps({"done": {**HONEST, "rights": {"creator": [[]]}}}),
        json.dumps({"done": {**HONEST, "outputs": [7]}}),
        json.dumps({"done": {**HONEST, "receipt": {**HONEST["receipt"], "outputs": []}}}),  # type: ignore[dict-item]
        json.dumps({"done": {**HONEST, "metadata": {"iso": 10**400}}}),
        json.dumps({"done": HONEST}).replace("[]", "[" * 900 + "]" * 900),
    ],
    ids=lambda said: said[:40],
)
@pytest.mark.slow
def test_an_answer_without_sense_is_the_decoders_failure_and_its_end(
    taken_over: Callable[[str], None], ask: Ask, sandbox: Sandbox, said: str
) -> None:
    taken_over(f"answer({said!r}); time.sleep(60)")
    with pytest.raises(errors.DecoderFailed):
        ask(PHOTO)
    assert sandbox.pid is None


def test_progress_is_heard_once_for_each_output(taken_over: Callable[[str], None], ask: Ask) -> None:
    taken_over("""while True: answer('{"output": [1, 4]}')""")
    heard: list[int] = []
    with pytest.raises(errors.DecoderFailed):
        ask(PHOTO, on_output=lambda done, of: heard.append(done))
    assert heard == [1]


@LINUX
def test_an_answer_before_the_question_has_arrived_is_no_answer(altered: Callable[[str], None], ask: Ask) -> None:
    altered("""
        import fcntl, os, time
        fcntl.fcntl(0, 1031, 4096)  # F_SETPIPE_SZ
        pipe = os.dup(1)
        def deaf():
            time.sleep(0.5)
            os.write(pipe, b'{"failed": ""}\\n')
            time.sleep(60)
        sys.stdin = type("Deaf", (), {"buffer": iter(deaf, 0)})
    """)
    with pytest.raises(errors.DecoderFailed, match="before it was asked"):
        ask(PHOTO, LONG)


@LINUX
def test_a_child_that_does_not_listen_holds_its_parent_up_no_longer_than_its_time(
    altered: Callable[[str], None], ask: Ask
) -> None:
    altered("""
        import fcntl, time
        fcntl.fcntl(0, 1031, 4096)  # F_SETPIPE_SZ
        sys.stdin = type("Deaf", (), {"buffer": iter(lambda: time.sleep(60), 0)})
    """)
    with pytest.raises(errors.DecoderTimeout):
        ask(PHOTO, LONG, timeout_s=0.5)


def test_a_long_request_arrives_through_a_short_pipe(altered: Callable[[str], None], ask: Ask) -> None:
    altered("import fcntl; fcntl.fcntl(0, getattr(fcntl, 'F_SETPIPE_SZ', fcntl.F_GETFL), 4096)")
    assert len(ask(PHOTO, LONG).outputs) == 40


@pytest.mark.parametrize(
    ("limit", "lines", "how"),
    [
        ("_MOST_WRITTEN_BYTES", "Path('full').write_bytes(bytes(4 << 20)); os.remove('full')", "wrote"),
        ("_MOST_FILES", "[Path(str(n)).touch() for n in range(200)]", "made files"),
        ("_MOST_THREADS", "[threading.Thread(target=time.sleep, args=[60]).start() for _ in range(20)]", "started"),
    ],
)
@LINUX
def test_what_no_limit_of_the_kernels_holds_is_watched(
    taken_over: Callable[[str], None], ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    limit: str, lines: str, how: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(process, limit, {"_MOST_WRITTEN_BYTES": 1 << 20}.get(limit, 10))
    taken_over(f"{lines}; time.sleep(60)")
    with pytest.raises(errors.DecoderFailed, match=f"{how}.* without end"):
        ask(PHOTO)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["entry.py", "source"]


def test_what_it_leaves_is_gone_before_the_next_picture(
    taken_over: Callable[[str], None], ask: Ask, tmp_path: Path
) -> None:
    taken_over("Path('left').touch(); return render(request, on_output)")
    ask(PHOTO)
    (own,) = tmp_path.glob("decoder-*")
    assert list(own.iterdir()) == []


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
@pytest.mark.parametrize(
    "deed",
    [
        "Path(request.source).write_bytes(b'another picture')",
        "os.remove(request.source)",
        "os.rename(request.source, request.source + '2')",
        "(Path(request.source).parent / 'lock').touch()",
        "(Path(request.source).parent / 'thumb.jpg').touch()",
        "os.rename(request.into, request.into + '2')",
    ],
)
def test_beside_its_own_folder_it_changes_nothing(
    taken_over: Callable[[str], None], ask: Ask, tmp_path: Path, deed: str
) -> None:
    taken_over(deed)
    with pytest.raises(errors.DecoderFailed, match="PermissionError"):
        ask(PHOTO)
    assert (tmp_path / "source").read_bytes() == PHOTO
    assert not [path for path in tmp_path.iterdir() if path.name in ("lock", "thumb.jpg", "source2")]


def stopped(pid: int | None) -> bool:
    """Whether the process is stopped, waiting a while for the signal to arrive."""
    for _ in range(250):
        if "State:\tT" in Path(f"/proc/{pid}/status").read_text():
            return True
        time.sleep(0.02)
    return False


@LINUX
def test_between_pictures_it_is_stopped(ask: Ask, sandbox: Sandbox) -> None:
    for _ in range(2):
        ask(PHOTO)
        assert stopped(sandbox.pid)


def test_a_false_checksum_is_not_believed(taken_over: Callable[[str], None], ask: Ask, sandbox: Sandbox) -> None:
    taken_over("""
        done = render(request, on_output)
        return replace(done, outputs=tuple(replace(output, sha256="0" * 64) for output in done.outputs))
    """)
    with pytest.raises(errors.DecoderFailed, match="does not fit"):
        ask(PHOTO)
    assert sandbox.pid is None


@pytest.mark.parametrize("kind", ["refused", "failed"])
def test_what_it_says_to_people_is_short_and_steers_no_terminal(
    taken_over: Callable[[str], None], ask: Ask, kind: str
) -> None:
    words = "\x1b]0;owned\x07 \u202egnp.exe\n" + "x" * 100_000
    said: dict[str, Any] = {"refused": {"code": "undecodable", "sentence": words}, "failed": words}
    taken_over(f"os.write(2, {words[:30].encode()!r}); answer({json.dumps({kind: said[kind]})!r}); time.sleep(60)")
    with capture_logs() as logs, pytest.raises((errors.Undecodable, errors.DecoderFailed)) as raised:
        ask(PHOTO)
    texts = [str(raised.value), *(str(value) for log in logs for value in log.values())]
    assert max(map(len, texts)) < 1000
    assert not {"\x1b", "\x07", "\u202e"} & set("".join(texts))
