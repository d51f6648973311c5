"""Every file of a corpus of real images over HTTP. `CORPUS` names the directory with its `manifest.csv`."""

import csv
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.client import upload, wait

pytestmark = [pytest.mark.e2e, pytest.mark.corpus]

CORPUS = os.environ.get("CORPUS", "")
DECODED = {"jpeg", "png", "webp", "gif", "tiff"}


def rows() -> list[dict[str, str]]:
    if not (Path(CORPUS) / "manifest.csv").is_file() or not CORPUS:
        return []
    with (Path(CORPUS) / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def outcome(base_url: str, row: dict[str, str]) -> tuple[str, str]:
    """What became of the file, and what is wrong with that, if anything."""
    response = upload(base_url, (Path(CORPUS) / row["file"]).read_bytes(), name=Path(row["file"]).name)
    if response.status_code != 202:
        unexpected = row["expected"] == "ok" and row["format"] in DECODED
        wrong = f"{response.status_code} {response.text}" if unexpected or response.status_code >= 500 else ""
        return "refused", wrong
    job = wait(base_url, response.json()["jobId"])
    if job["status"] == "error":
        wrong = f"{job['code']}: {job['detail']}" if row["expected"] == "ok" and row["format"] in DECODED else ""
        machine = job["code"] in {"internal_error", "decoder_crashed", "render_timeout", "worker_lost"}
        return "failed", wrong or (f"not the file's fault: {job['code']}" if machine else "")
    wrong = "should have been refused" if row["expected"] == "reject" else ""
    image = httpx.get(f"{base_url}/v1/images/{job['imageId']}").json()
    if row["expected"] == "ok" and row["width"] and row["height"]:
        expected = (int(row["width"]), int(row["height"]))
        if (image["width"], image["height"]) != expected:
            wrong = f"{image['width']}×{image['height']} instead of {expected}"
        full = job["derivatives"][0]
        # Rounding moves a side by half a pixel at most.
        if abs(full["width"] * expected[1] - full["height"] * expected[0]) > max(expected):
            wrong = f"aspect of {full['width']}×{full['height']} is not that of {expected}"
    return "done", wrong


@pytest.mark.skipif(not rows(), reason="no corpus: set CORPUS to a directory with a manifest.csv")
def test_every_file_of_the_corpus_ends_as_it_should(service):
    workers = service.pids("worker")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: (row["file"], *outcome(service.url, row)), rows()))
    wrong = [f"{file}: {what}" for file, _, what in found if what]
    counts = Counter(kind for _, kind, _ in found)
    print(f"{len(found)} files over HTTP: {dict(counts)}, wrong {len(wrong)}")
    assert not wrong, "\n".join(wrong)
    assert service.pids("worker") == workers, "a worker died"
