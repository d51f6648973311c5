"""Every picture of the corpus, through the sandbox, against what its manifest says."""

import csv
import os
from collections import Counter
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.adapters.sandbox import Sandbox
from media_jobs.pipeline.recipes import GALLFORMERS, INGEST, Preset
from media_jobs.pipeline.values import Rendered, Request

CORPUS = os.environ.get("CORPUS", "")
OUTCOMES = ("ok", "refused", "wrong", "crashed")
FORMATS = {"jpeg", "jpg", "png", "webp", "gif", "tiff"}
BOTH = Preset("both", GALLFORMERS.renditions + INGEST.renditions[2:])


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS, reason="CORPUS is not set: a directory with a manifest.csv and the files it names")
def test_the_corpus_is_rendered_or_refused_as_its_manifest_says(tmp_path: Path) -> None:
    with (Path(CORPUS) / "manifest.csv").open(newline="") as manifest:
        rows = [row for row in csv.DictReader(manifest) if row["format"] in FORMATS]
    assert rows
    sandbox = Sandbox(768 * 1_048_576)
    counts: Counter[str] = Counter()
    complaints: list[str] = []
    try:
        for row in rows:
            outcome, complaint = judge(row, sandbox, tmp_path)
            counts[outcome] += 1
            complaints += [f"{row['file']}: {complaint}"] if complaint else []
    finally:
        sandbox.close()
    print(f"{len(rows)} files:", *(f"{word} {counts[word]}" for word in OUTCOMES))
    assert complaints == []


def judge(row: dict[str, str], sandbox: Sandbox, folder: Path) -> tuple[str, str]:
    """The outcome in one word, and what is wrong with it if anything is."""
    request = Request(str(Path(CORPUS) / row["file"]), str(folder), row["sha256"], BOTH)
    try:
        rendered = sandbox.render(request, timeout_s=120, beat=lambda: None, on_output=lambda done, of: None)
    except errors.ImageRefused as refusal:
        return ("wrong", str(refusal)) if row["expected"] == "ok" else ("refused", "")
    except errors.MediaError as failure:
        return "crashed", str(failure)
    if row["expected"] == "reject":
        return "wrong", "rendered, but ought to be refused"
    complaint = shape(rendered, row) if row["expected"] == "ok" else ""
    return ("wrong" if complaint else "ok"), complaint


def shape(rendered: Rendered, row: dict[str, str]) -> str:
    """What is wrong with the sizes: the manifest's are as displayed."""
    size = (rendered.width_px, rendered.height_px)
    if size != (int(row["width"]), int(row["height"])):
        return f"is {size}, ought to be {row['width']}×{row['height']}"
    for output in rendered.outputs:
        scale = max(output.width_px, output.height_px) / max(size)
        off = max(abs(size[0] * scale - output.width_px), abs(size[1] * scale - output.height_px))
        if output.name != "thumb" and (off >= 1 or scale > 1):
            return f"{output.name} is {output.width_px}×{output.height_px}"
    return ""
