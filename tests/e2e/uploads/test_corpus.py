"""Every file of a corpus of real images over HTTP. `CORPUS` names the directory with its `manifest.csv`."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.corpus import manifest
from tests.corpus.manifest import Entry, Expected
from tests.e2e.client import upload, wait

CORPUS = os.environ.get("CORPUS", "")
#: Codes of jobs that failed though their file was not the reason.
NOT_THE_FILE = {"internal_error", "decoder_crashed", "render_timeout", "worker_lost", "privacy_leak"}

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.corpus,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not CORPUS, reason="CORPUS is not set: a directory with a manifest.csv and the files it names"),
]


def outcome(base_url: str, entry: Entry) -> tuple[str, str]:
    """What became of the file, and what is wrong with that, if anything."""
    response = upload(base_url, entry.path.read_bytes(), name=entry.path.name)
    if response.status_code != 202:
        unexpected = entry.expected is Expected.OK or response.status_code >= 500
        return "refused", f"{response.status_code} {response.text}" if unexpected else ""
    job = wait(base_url, response.json()["jobId"])
    if job["status"] == "error":
        unexpected = entry.expected is Expected.OK or job["code"] in NOT_THE_FILE
        return "failed", f"{job['code']}: {job['detail']}" if unexpected else ""
    if entry.expected is Expected.REJECT:
        return "done", "should have been refused"
    if entry.expected is Expected.OK and entry.size_px:
        return "done", wrong_size(httpx.get(f"{base_url}/v1/images/{job['imageId']}").json(), entry.size_px)
    return "done", ""


def wrong_size(image: dict[str, Any], size_px: tuple[int, int]) -> str:
    """`size_px` is that of the picture as displayed."""
    if (image["width"], image["height"]) != size_px:
        return f"{image['width']}×{image['height']} instead of {size_px}"
    full = image["derivatives"][0]
    # Rounding moves a side by half a pixel at most.
    if abs(full["width"] * size_px[1] - full["height"] * size_px[0]) > max(size_px):
        return f"aspect of {full['width']}×{full['height']} is not that of {size_px}"
    return ""


def test_every_file_of_the_corpus_ends_as_it_should(service):
    entries = manifest.read(Path(CORPUS))
    assert entries
    workers = service.pids("worker")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda entry: (entry.name, *outcome(service.url, entry)), entries))
    wrong = [f"{file}: {what}" for file, _, what in found if what]
    counts = Counter(kind for _, kind, _ in found)
    print(f"{len(found)} files over HTTP: {dict(counts)}, wrong {len(wrong)}")
    assert not wrong, "\n".join(wrong)
    assert service.pids("worker") == workers, "a worker died"
