"""Comparing in the decoder's process: numbers come out, or the reason why not."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media_jobs import errors
from media_jobs.adapters.decoder.questions import CompareQuestion
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline.child import loop
from media_jobs.pipeline.compare.judge import judge
from media_jobs.pipeline.compare.values import CompareRequest, Look, Measures, Pair, PairRequest
from tests import images
from tests.adapters.decoder.running import Ask


def requested(folder: Path, original: bytes, **files: bytes) -> CompareRequest:
    (folder / "original").write_bytes(original)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    paths = {side: str(folder / side) if side in files else None for side in ("legacy", "ours")}
    return CompareRequest(str(folder / "original"), (PairRequest("medium", 640, paths["legacy"], paths["ours"]),))


def compared(sandbox: Sandbox, request: CompareRequest) -> Measures:
    return sandbox.compare(request, timeout_s=60, heartbeat=lambda: None)


def test_pictures_are_measured_in_a_child_of_their_own(ask: Ask, sandbox: Sandbox, tmp_path: Path) -> None:
    picture = images.jpeg(1280, 960)
    ask(picture)
    renderer = sandbox.pid
    request = requested(tmp_path, picture, legacy=images.jpeg(), ours=images.cut(images.png()))
    measures = compared(sandbox, request)
    comparer = sandbox.pid
    assert comparer not in (None, renderer)  # it has room for scikit-image, and the other did not take it
    assert (measures.width_px, measures.height_px) == (1280, 960)
    assert (judge(measures).verdict, judge(measures).reason) == ("worse", "ours_unreadable")
    assert compared(sandbox, request) == measures
    assert sandbox.pid == comparer
    with pytest.raises(errors.UnsupportedFormat):
        compared(sandbox, requested(tmp_path, b"no picture", legacy=picture, ours=picture))
    assert sandbox.pid == comparer
    ask(picture)
    assert sandbox.pid != comparer


def test_a_machine_without_scikit_image_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "media_jobs.pipeline.compare.measuring", None)
    request = requested(tmp_path, images.jpeg(), legacy=images.jpeg())
    answer = loop._answer(json.dumps(request.to_json()).encode(), lambda *_: None, lambda _: None)
    outcome = CompareQuestion(request).outcome(answer, tmp_path)
    assert isinstance(outcome, errors.ComparingNotInstalled)
    assert "requirements-shadow.txt" in str(outcome)


LOOK = Look(640, 480, "jpeg", 1000, ssim=1.0, detail=1.0)


@pytest.mark.parametrize(
    "lie",
    [
        {"pairs": ()},
        {"width_px": -1},
        {"orientation": 9},
        {"pairs": (Pair("other", 640, LOOK, LOOK),)},
        {"pairs": (Pair("medium", 640, None, LOOK),)},
        {"pairs": (Pair("medium", 640, LOOK, replace(LOOK, ssim=float("nan"))),)},
        {"pairs": (Pair("medium", 640, LOOK, replace(LOOK, detail=1e30)),)},
        {"pairs": (Pair("medium", 640, LOOK, replace(LOOK, carries=("\x1b[2J",))),)},
        {"pairs": (Pair("medium", 640, LOOK, replace(LOOK, refused="x" * 65)),)},
        {"pairs": (Pair("medium", 640, LOOK, replace(LOOK, width_px=0, height_px=0)),)},
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_believed_is_none(tmp_path: Path, lie: dict[str, Any]) -> None:
    question = CompareQuestion(requested(tmp_path, b"", legacy=b"", ours=b""))
    honest = Measures(640, 480, 1, (Pair("medium", 640, LOOK, LOOK),))
    assert question.outcome({"done": honest.to_json()}, tmp_path) == honest
    with pytest.raises(ValueError, match=r"."):
        question.outcome({"done": replace(honest, **lie).to_json()}, tmp_path)
