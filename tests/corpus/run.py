"""The run itself: every file through one of two decoders, outputs kept for a look at them."""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from media_jobs import errors
from media_jobs.pipeline.values import Limits, Request
from tests import worker_pool
from tests.corpus.judge import PRESET, Outcome, Verdict, failed, rendered
from tests.corpus.manifest import Entry

LIMITS = Limits()
TIMEOUT_S = 60


def run(entries: Iterable[Entry], folder: Path) -> Iterator[Verdict]:
    """Verdicts as they come. The outputs of each file that was rendered lie in `folder_of(entry, folder)`."""
    (folder / "outputs").mkdir()
    return worker_pool.map_unordered(partial(_judge, folder), entries, folder, memory_bytes=LIMITS.memory_bytes)


def folder_of(entry: Entry, folder: Path) -> Path:
    return folder / "outputs" / Path(entry.name).name


def _judge(folder: Path, worker: worker_pool.Worker, entry: Entry) -> Verdict:
    source = worker.folder / "source"
    shutil.copyfile(entry.path, source)
    into = worker.folder / "into"
    into.mkdir()
    request = Request(str(source), str(into), entry.sha256, PRESET, LIMITS)
    try:
        result = worker.sandbox.render(
            request, timeout_s=TIMEOUT_S, heartbeat=lambda: None, on_output=lambda done, of: None
        )
    except errors.MediaError as error:
        shutil.rmtree(into)
        return failed(entry, error)
    into.rename(folder_of(entry, folder))
    return rendered(entry, result)


def last_line(verdicts: list[Verdict]) -> str:
    counts = Counter(verdict.outcome for verdict in verdicts)
    return f"{len(verdicts)} files: " + " ".join(f"{outcome} {counts[outcome]}" for outcome in Outcome)


def complaints(verdicts: list[Verdict]) -> list[str]:
    return sorted(f"{found.entry.name}: {found.outcome}, {found.complaint}" for found in verdicts if found.complaint)
